using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>The reader's side of <see cref="KafkaReading"/>: cuts runs into batches, waits without a thread.</summary>
internal sealed class KafkaSubscription(string topic, string group, KafkaReading reading, KafkaParts kafka) : ILogSubscription
{
    private PartitionRun? _run;
    private int _given; // messages of it
    private bool _disposed;

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
                _run = await reading.Runs.ReadAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (ChannelClosedException ended)
            {
                ObjectDisposedException.ThrowIf(ended.InnerException is null, this);
                ExceptionDispatchInfo.Throw(ended.InnerException);
            }
        }
    }

    public async ValueTask CommitAsync(int partition, long nextOffset, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(nextOffset);
        await kafka.Requests.AskAsync($"committing {topic}/{partition} for {group}", () => Task.Run(() =>
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
                kafka.Logger.LogInformation("{Topic}/{Partition}: {Group} did not commit {Offset}: {Reason}", topic, partition, group, nextOffset, refused.Error.Reason);
            }
            return true;
        }, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        await reading.DisposeAsync().ConfigureAwait(false);
        Drop();
        while (reading.Runs.TryRead(out var unread)) unread.Memory.Dispose();
    }

    private LogBatch Cut(PartitionRun run, int max)
    {
        var messages = run.Messages;
        bool last = messages.Count - _given <= max;
        var some = _given == 0 && last ? messages : messages.GetRange(_given, Math.Min(max, messages.Count - _given));
        bool startsAnew = !run.From.IsBegun;
        run.From.IsBegun = true;
        _given += some.Count;
        var batch = new LogBatch(run.From.Partition, some, startsAnew, run.Memory.Share());
        if (last) Drop();
        return batch;
    }

    private void Drop()
    {
        _run?.Memory.Dispose();
        (_run, _given) = (null, 0);
    }
}
