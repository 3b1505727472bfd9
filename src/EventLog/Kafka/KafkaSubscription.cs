using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>
/// The reader's side of <see cref="KafkaReading"/>: cuts runs into batches, waits without a thread. A reading that failed is begun anew by the next read:
/// alone it goes on behind what it delivered, in a group at what the reader's store says.
/// </summary>
internal sealed class KafkaSubscription : ILogSubscription
{
    private readonly string _topic;
    private readonly string _group;
    private readonly Func<int, long> _startAt;
    private readonly PartitionSharing _sharing;
    private readonly KafkaParts _kafka;
    private readonly Dictionary<int, long> _delivered = []; // without sharing: the offset behind the last message of each partition
    private KafkaReading? _reading;
    private PartitionRun? _run;
    private int _given; // messages of it
    private bool _disposed;

    public KafkaSubscription(string topic, string group, Func<int, long> startAt, PartitionSharing sharing, KafkaParts kafka)
    {
        (_topic, _group, _startAt, _sharing, _kafka) = (topic, group, startAt, sharing, kafka);
        _reading = Begin();
    }

    public async ValueTask<LogBatch> ReadAsync(int max, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(max, 1);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_run is { } run)
            {
                if (!run.From.IsGone) return Cut(run, max);
                Drop();
            }
            try
            {
                _run = await (_reading ??= Begin()).Runs.ReadAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (ChannelClosedException ended) when (ended.InnerException is { } failure)
            {
                await _reading!.DisposeAsync().ConfigureAwait(false);
                _reading = null;
                ExceptionDispatchInfo.Throw(failure);
            }
        }
    }

    public async ValueTask CommitAsync(int partition, long nextOffset, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(nextOffset);
        ObjectDisposedException.ThrowIf(_disposed, this);
        var reading = _reading ??= Begin();
        await _kafka.Requests.AskAsync($"committing {_topic}/{partition} for {_group}", () => Task.Run(() =>
        {
            try
            {
                reading.Commit(partition, nextOffset);
            }
            catch (TopicPartitionOffsetException refused)
            {
                throw new KafkaException(refused.Results[0].Error);
            }
            catch (KafkaException refused) when (refused.Error.Code is ErrorCode.IllegalGeneration or ErrorCode.UnknownMemberId or ErrorCode.FencedMemberEpoch or ErrorCode.StaleMemberEpoch or ErrorCode.Local_State)
            {
                // The partition is another reader's by now, and so is its position.
                _kafka.Logger.LogInformation("{Topic}/{Partition}: {Group} did not commit {Offset}: {Reason}", _topic, partition, _group, nextOffset, refused.Error.Reason);
            }
            return true;
        }, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        if (_reading is not null)
        {
            await _reading.DisposeAsync().ConfigureAwait(false);
            while (_reading.Runs.TryRead(out var unread)) unread.Memory.Dispose();
        }
        Drop();
    }

    private KafkaReading Begin() => new(_topic, _group, StartAt, _sharing, _kafka);

    // The client's thread asks.
    private long StartAt(int partition)
    {
        lock (_delivered)
            if (_delivered.TryGetValue(partition, out long next))
                return next;
        return _startAt(partition);
    }

    private LogBatch Cut(PartitionRun run, int max)
    {
        var messages = run.Messages;
        bool last = messages.Count - _given <= max;
        var some = messages.Slice(_given, Math.Min(max, messages.Count - _given));
        int partition = run.From.Partition;
        bool startsAnew = !run.From.IsBegun;
        run.From.IsBegun = true;
        _given += some.Count;
        if (_sharing == PartitionSharing.None)
            lock (_delivered)
            {
                startsAnew = !_delivered.ContainsKey(partition);
                _delivered[partition] = some[^1].Offset + 1;
            }
        var batch = new LogBatch(partition, some, startsAnew, run.Memory.Share());
        if (last) Drop();
        return batch;
    }

    private void Drop()
    {
        _run?.Memory.Dispose();
        (_run, _given) = (null, 0);
    }
}
