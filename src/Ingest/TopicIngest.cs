using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Ingest;

/// <summary>
/// Lands one topic. The stores alone say where reading goes on, so after any failure everything in memory is dropped and the log
/// is read again from there: no event is lost, none lands twice.
/// While one batch is decoded the next is read, and one closed segment is written: three steps side by side, and never more in memory than that.
/// </summary>
internal sealed class TopicIngest<TRows>(
    ITopicRows<TRows> topicRows, IEventLog log, IngestOptions options, TimeProvider time, IngestMetrics metrics, IngestHealth health, ILogger logger) where TRows : class
{
    private const string Group = ReaderGroups.Ingest;
    private const int ReadAtOnce = 4096;

    private sealed record Writing(int Partition, OpenSegment<TRows> Segment, Task<bool> Done);

    private readonly Dictionary<int, OpenSegment<TRows>> _open = [];
    private readonly List<LogRecord> _deadLetters = [];
    private Writing? _writing;
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
                metrics.Failed(topicRows.Topic);
                health.Failed(topicRows.Topic, _failuresInARow, failure);
                var pause = TimeSpan.FromTicks(Math.Min(options.MaxRetryDelay.Ticks, options.RetryDelay.Ticks << Math.Min(16, _failuresInARow - 1)));
                logger.AttemptFailed(failure, topicRows.Topic, _failuresInARow, pause);
                if (stop.IsCancellationRequested) return;
                await Task.Delay(pause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    // Returns when another writer was first: the next round starts where that one got to.
    private async Task RunOnceAsync(CancellationToken stop)
    {
        _open.Clear();
        _deadLetters.Clear();
        _writing = null;
        topicRows.StartOver();
        await using var subscription = log.Subscribe(topicRows.Topic, Group, topicRows.StartAt, PartitionSharing.Group);
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task<LogBatch>? read = null;
        try
        {
            while (true)
            {
                // The read stays pending over a segment's deadline: cancelling it could lose what it was about to return.
                read ??= ReadAsync(subscription, reading.Token);
                await WaitAsync(read, stop).ConfigureAwait(false);
                if (stop.IsCancellationRequested && !read.IsCompletedSuccessfully) break;
                if (read.IsCompleted)
                {
                    using var messages = await read.ConfigureAwait(false);
                    read = ReadAsync(subscription, reading.Token);
                    if (!await TakeAsync(subscription, messages).ConfigureAwait(false)) return;
                }
                if (_writing is { Done.IsCompleted: true } && !await SettleAsync(subscription).ConfigureAwait(false)) return;
                foreach (var (partition, segment) in _open.ToArray())
                    if (!segment.IsEmpty && time.GetElapsedTime(segment.OpenedAt) >= options.SegmentAge && !await CloseAsync(subscription, partition).ConfigureAwait(false)) return;
                if (stop.IsCancellationRequested) break;
            }
            foreach (int partition in _open.Keys.ToArray())
                if (!await CloseAsync(subscription, partition).ConfigureAwait(false)) return;
            await SettleAsync(subscription).ConfigureAwait(false);
        }
        finally
        {
            await reading.CancelAsync().ConfigureAwait(false);
            if (read is not null) await ((Task)read).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_writing is not null) await ((Task)_writing.Done).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // A thread of its own: the embedded log reads on the caller's.
    private static Task<LogBatch> ReadAsync(ILogSubscription subscription, CancellationToken cancellationToken) =>
        Task.Run(() => subscription.ReadAsync(ReadAtOnce, cancellationToken).AsTask(), CancellationToken.None);

    private async Task WaitAsync(Task read, CancellationToken stop)
    {
        if (read.IsCompleted) return;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var events = new List<Task> { read };
        if (_writing is not null) events.Add(_writing.Done);
        var waiting = _open.Values.Where(segment => !segment.IsEmpty).ToArray();
        var left = waiting.Length == 0 ? Timeout.InfiniteTimeSpan : options.SegmentAge - waiting.Max(segment => time.GetElapsedTime(segment.OpenedAt));
        if (waiting.Length > 0 && left <= TimeSpan.Zero) return;
        events.Add(Task.Delay(left, time, over.Token));
        await Task.WhenAny(events).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
    }

    private async Task<bool> TakeAsync(ILogSubscription subscription, LogBatch messages)
    {
        int partition = messages.Partition;
        if (messages.StartsAnew)
        {
            // A partition that was away and came back: what is open here may have landed meanwhile.
            if (!await SettleAsync(subscription).ConfigureAwait(false)) return false;
            Open(partition);
        }
        for (int taken = 0; taken < messages.Count;)
        {
            var segment = _open[partition];
            int start = taken;
            while (taken < messages.Count && segment.Next - segment.First < options.SegmentEvents && messages[taken].Offset < segment.Limit)
            {
                var reading = Take(messages[taken++], segment);
                if (reading.Forget is not { } user) continue;
                if (!await SettleAsync(subscription).ConfigureAwait(false)) return false; // or what is being written would land behind the store's back
                topicRows.Forget(user, messages[taken - 1].TimestampMs, segment.Rows);
            }
            // Before the segment that covers them can be closed; below it they were written by whoever closed it.
            await DeadLetterAsync().ConfigureAwait(false);
            if (taken > start) await topicRows.ApplyAsync(partition, messages[taken - 1].Offset + 1, CancellationToken.None).ConfigureAwait(false);
            bool gapFilled = taken < messages.Count && messages[taken].Offset >= segment.Limit;
            if (gapFilled) segment.CoverToLimit(time.GetTimestamp());
            if ((gapFilled || segment.Next - segment.First >= options.SegmentEvents) && !await CloseAsync(subscription, partition).ConfigureAwait(false)) return false;
            if (!gapFilled) continue;
            if (!await SettleAsync(subscription).ConfigureAwait(false)) return false;
            Open(partition); // behind what is covered
        }
        return true;
    }

    private void Open(int partition)
    {
        long first = topicRows.NextSegment(partition);
        long limit = topicRows.FirstCovered(partition, first) ?? long.MaxValue;
        if (limit > first && limit != long.MaxValue) logger.GapFound(topicRows.Topic, partition, first, limit - 1);
        _open[partition] = new OpenSegment<TRows>(first, topicRows.Rent(), limit);
    }

    private Reading Take(in LogMessage message, OpenSegment<TRows> segment)
    {
        if (message.Offset < segment.First) return topicRows.Read(message, rows: null) with { Forget = null }; // read again for the profiles only
        if (segment.IsEmpty) metrics.SegmentOpened(topicRows.Topic, message.Partition, message.TimestampMs);
        segment.Cover(message.Offset, time.GetTimestamp());
        segment.Traces.Note(message);
        var reading = topicRows.Read(message, segment.Rows);
        if (reading.Rejection is not { } rejection) return reading;
        var letter = DeadLetterJson.Of(topicRows.Topic, message, rejection);
        logger.DeadLettered(letter.Topic, letter.Partition, letter.Offset, letter.Reason, letter.Message);
        _deadLetters.Add(DeadLetterJson.Record(letter));
        return reading;
    }

    private async Task DeadLetterAsync()
    {
        if (_deadLetters.Count == 0) return;
        LogRecord[] letters = [.. _deadLetters];
        _deadLetters.Clear();
        await log.AppendAsync(Topics.DeadLetters, letters, CancellationToken.None).ConfigureAwait(false);
        metrics.DeadLettered(topicRows.Topic, letters.Length);
    }

    // False: another writer covered the range of the segment before.
    private async Task<bool> CloseAsync(ILogSubscription subscription, int partition)
    {
        var segment = _open[partition];
        if (segment.IsEmpty) return true;
        if (!await SettleAsync(subscription).ConfigureAwait(false)) return false;
        _open[partition] = new OpenSegment<TRows>(segment.Next, topicRows.Rent(), segment.Limit);
        _writing = new Writing(partition, segment, Task.Run(() => Land(partition, segment)));
        return true;
    }

    private bool Land(int partition, OpenSegment<TRows> segment)
    {
        using var activity = segment.Traces.Start($"land {topicRows.Topic}");
        return topicRows.TryWrite(partition, segment.First, segment.Next - 1, segment.Rows);
    }

    // Waits for the segment on its way to the store. False: another writer covered the range; nothing of ours was written.
    private async Task<bool> SettleAsync(ILogSubscription subscription)
    {
        if (_writing is not var (partition, segment, done)) return true;
        bool written = await done.ConfigureAwait(false);
        _writing = null;
        topicRows.Return(segment.Rows);
        if (!written)
        {
            if (topicRows.NextSegment(partition) <= segment.First)
                throw new IOException($"{topicRows.Topic}/{partition}: offset {segment.First} is neither covered by a segment nor free to be written");
            logger.OtherWriter(topicRows.Topic, partition, segment.First);
            return false;
        }
        _failuresInARow = 0;
        health.Succeeded(topicRows.Topic);
        await subscription.CommitAsync(partition, segment.Next, CancellationToken.None).ConfigureAwait(false);
        long end = await log.EndOffsetAsync(topicRows.Topic, partition, CancellationToken.None).ConfigureAwait(false);
        metrics.SegmentWritten(topicRows.Topic, partition, segment.Next - segment.First, end - segment.Next);
        return true;
    }
}
