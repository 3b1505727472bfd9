using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Ingest;

/// <summary>
/// Lands one topic. The stores alone say where reading goes on, so after any failure everything in memory is dropped and the log
/// is read again from there: no event is lost, none lands twice.
/// </summary>
internal sealed class TopicIngest<TRow>(
    ITopicRows<TRow> rows, IEventLog log, IngestOptions options, TimeProvider time, IngestMetrics metrics, IngestHealth health, ILogger logger) where TRow : struct
{
    private const string Group = ReaderGroups.Ingest;
    private const int ReadAtOnce = 4096;

    private readonly Dictionary<int, OpenSegment<TRow>> _segments = [];
    private int _failuresInARow;

    /// <summary>Runs until it is stopped; then closes what is open. Only failures that another attempt cannot mend come out.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await RunOnceAsync(stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (IOException failure)
            {
                _failuresInARow++;
                metrics.Failed(rows.Topic);
                health.Failed(rows.Topic, _failuresInARow, failure);
                var pause = TimeSpan.FromTicks(Math.Min(options.MaxRetryDelay.Ticks, options.RetryDelay.Ticks << Math.Min(16, _failuresInARow - 1)));
                logger.LogError(failure, "{Topic}: attempt {Attempt} failed; the next one follows in {Pause}", rows.Topic, _failuresInARow, pause);
                if (stop.IsCancellationRequested) return;
                await Task.Delay(pause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    // Returns when another writer was first: the next round starts where that one got to.
    private async Task RunOnceAsync(CancellationToken stop)
    {
        _segments.Clear();
        await using var subscription = log.Subscribe(rows.Topic, Group, rows.StartAt, PartitionSharing.Group);
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task<LogBatch>? read = null;
        try
        {
            while (true)
            {
                // The read stays pending over a segment's deadline: cancelling it could lose what it was about to return.
                read ??= subscription.ReadAsync(ReadAtOnce, reading.Token).AsTask();
                await WaitAsync(read, stop).ConfigureAwait(false);
                if (stop.IsCancellationRequested && !read.IsCompletedSuccessfully) break;
                if (read.IsCompleted)
                {
                    using var messages = await read.ConfigureAwait(false);
                    read = null;
                    if (!await TakeAsync(subscription, messages).ConfigureAwait(false)) return;
                }
                if (!await CloseAgedAsync(subscription).ConfigureAwait(false)) return;
                if (stop.IsCancellationRequested) break;
            }
            foreach (int partition in _segments.Keys.ToArray())
                if (!await CloseAsync(subscription, partition).ConfigureAwait(false)) return;
        }
        finally
        {
            await reading.CancelAsync().ConfigureAwait(false);
            if (read is not null) await ((Task)read).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WaitAsync(Task read, CancellationToken stop)
    {
        if (read.IsCompleted) return;
        var waiting = _segments.Values.Where(segment => !segment.IsEmpty).ToArray();
        if (waiting.Length == 0)
        {
            await read.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }
        var left = options.SegmentAge - waiting.Max(segment => time.GetElapsedTime(segment.OpenedAt));
        if (left <= TimeSpan.Zero) return;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await Task.WhenAny(read, Task.Delay(left, time, over.Token)).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
    }

    private async Task<bool> TakeAsync(ILogSubscription subscription, LogBatch messages)
    {
        int partition = messages.Partition;
        // A partition that was away and came back: what is open here may have landed meanwhile.
        if (messages.StartsAnew || !_segments.TryGetValue(partition, out var segment)) _segments[partition] = segment = new OpenSegment<TRow>(rows.NextSegment(partition));
        var decoded = messages.Select(rows.Decode).ToArray();

        // Before the segment that covers them can be closed; below it they were written by whoever closed it.
        await DeadLetterAsync(decoded.Where(one => one.Rejection is not null && one.Message.Offset >= segment.First)).ConfigureAwait(false);
        await rows.ApplyAsync(partition, messages.NextOffset, decoded, CancellationToken.None).ConfigureAwait(false);

        foreach (var one in decoded)
        {
            if (one.Message.Offset < segment.First) continue; // read again for the profiles only
            segment.Cover(one.Message.Offset, time.GetTimestamp());
            if (one.Row is { } row) segment.Rows.Add(row);
            if (one.Forget is { } user) rows.Forget(user, segment.Rows);
            if (segment.Next - segment.First >= options.SegmentEvents && !await CloseAsync(subscription, partition).ConfigureAwait(false)) return false;
        }
        return true;
    }

    private async Task DeadLetterAsync(IEnumerable<Decoded<TRow>> unreadable)
    {
        var records = new List<LogRecord>();
        foreach (var (message, _, _, rejection) in unreadable)
        {
            var letter = new DeadLetter(rejection!.Reason, rejection.Message, rows.Topic, message.Partition, message.Offset, message.Key.ToArray(), message.Value?.ToArray(), message.TimestampMs);
            logger.LogWarning("{Topic}/{Partition}/{Offset} cannot be read: {Reason}: {Message}", letter.Topic, letter.Partition, letter.Offset, letter.Reason, letter.Message);
            records.Add(DeadLetterJson.Record(letter));
        }
        if (records.Count == 0) return;
        await log.AppendAsync(Topics.DeadLetters, records, CancellationToken.None).ConfigureAwait(false);
        metrics.DeadLettered(rows.Topic, records.Count);
    }

    private async Task<bool> CloseAgedAsync(ILogSubscription subscription)
    {
        foreach (var (partition, segment) in _segments.ToArray())
        {
            if (segment.IsEmpty || time.GetElapsedTime(segment.OpenedAt) < options.SegmentAge) continue;
            if (!await CloseAsync(subscription, partition).ConfigureAwait(false)) return false;
        }
        return true;
    }

    // False: another writer covered the range; nothing of ours was written.
    private async Task<bool> CloseAsync(ILogSubscription subscription, int partition)
    {
        var segment = _segments[partition];
        if (segment.IsEmpty) return true;
        if (!rows.TryWrite(partition, segment.First, segment.Next - 1, segment.Rows))
        {
            if (rows.NextSegment(partition) <= segment.First)
                throw new IOException($"{rows.Topic}/{partition}: offset {segment.First} is neither covered by a segment nor free to be written");
            logger.LogInformation("{Topic}/{Partition}: another writer covered offset {Offset} first", rows.Topic, partition, segment.First);
            return false;
        }
        _failuresInARow = 0;
        health.Succeeded(rows.Topic);
        long events = segment.Next - segment.First;
        segment.StartNext();
        await subscription.CommitAsync(partition, segment.Next, CancellationToken.None).ConfigureAwait(false);
        metrics.SegmentWritten(rows.Topic, partition, events, await log.EndOffsetAsync(rows.Topic, partition, CancellationToken.None).ConfigureAwait(false) - segment.Next);
        return true;
    }
}
