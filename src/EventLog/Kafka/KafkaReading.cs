using System.Threading.Channels;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>
/// Polls one consumer on a thread of its own and hands runs of messages to the reader. It polls on while the reader is slow, or the group would
/// put this reader out; the partitions are paused then.
/// </summary>
internal sealed class KafkaReading : IAsyncDisposable
{
    private const int RunMessages = 1024;
    private const int RunBytes = 1 << 20;
    private const int RunsAhead = 8;
    private static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1); // pausing throws away what the client fetched ahead, so not for each small wait

    private readonly string _topic;
    private readonly string _name; // with the prefix, as the cluster knows it
    private readonly string _group;
    private readonly PartitionSharing _sharing;
    private readonly KafkaParts _kafka;
    private readonly StartOffsets _starts;
    private readonly ILogger _logger;
    private readonly IConsumer<ReadOnlyMemory<byte>?, ReadOnlyMemory<byte>?> _consumer;
    private readonly Channel<PartitionRun> _runs = Channel.CreateBounded<PartitionRun>(new BoundedChannelOptions(RunsAhead) { SingleReader = true, SingleWriter = true });
    private readonly Queue<PartitionRun> _waiting = [];
    private readonly Dictionary<int, HeldPartition> _held = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // Of each partition one at most: what waits for the reader is few batches, however mixed the messages of the partitions come.
    private readonly List<PartitionRun> _open = [];
    private bool _paused;
    private long _lookedForPartitions;

    public KafkaReading(string topic, string group, Func<int, long> startAt, PartitionSharing sharing, KafkaParts kafka)
    {
        (_topic, _name, _group, _sharing, _kafka, _logger) = (topic, kafka.Topics.FullName(topic), group, sharing, kafka, kafka.Logger);
        _starts = new StartOffsets(_name, group, startAt, kafka);
        _consumer = new ConsumerBuilder<ReadOnlyMemory<byte>?, ReadOnlyMemory<byte>?>(KafkaClientSettings.Consumer(kafka.Options, group))
            .SetKeyDeserializer(new ReusedBuffer())
            .SetValueDeserializer(new ReusedBuffer())
            // What comes while it closes goes at once. What a handler throws there would end the process.
            .SetPartitionsAssignedHandler((_, partitions) => _stop.IsCancellationRequested ? partitions.ConvertAll(of => new TopicPartitionOffset(of, Offset.Unset)) : Take(partitions.ConvertAll(of => of.Partition.Value)))
            .SetPartitionsRevokedHandler((_, partitions) => Leave(partitions))
            .SetPartitionsLostHandler((_, partitions) => Leave(partitions))
            .SetErrorHandler((client, error) => kafka.Health.Failed(client.Name, error))
            .SetLogHandler((_, message) => KafkaClientLog.Write(kafka.Logger, message))
            .SetStatisticsHandler((_, json) => kafka.Metrics.Report(group, KafkaStatistics.Parse(json)))
            .Build();
        new Thread(Run) { IsBackground = true, Name = $"read {topic} for {group}" }.Start();
    }

    /// <summary>Ends with the failure that ended the reading, if one did.</summary>
    public ChannelReader<PartitionRun> Runs => _runs.Reader;

    /// <summary>Blocks until the group's coordinator has answered.</summary>
    public void Commit(int partition, long nextOffset) => _consumer.Commit([new TopicPartitionOffset(_name, partition, nextOffset)]);

    /// <summary>Leaves the group and gives everything back. What was not read yet is dropped.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _ended.Task.ConfigureAwait(false);
        _stop.Dispose();
    }

    private void Run()
    {
        try
        {
            Read();
            _runs.Writer.TryComplete();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            _runs.Writer.TryComplete();
        }
        catch (Exception failure)
        {
            _runs.Writer.TryComplete(failure is KafkaException kafka ? new IOException($"reading topic {_name} for {_group}: {kafka.Error.Reason} ({kafka.Error.Code})", kafka) : failure);
        }
        _stop.Token.WaitHandle.WaitOne(); // the reader may still commit
        _kafka.Metrics.Forget(_consumer.Name);
        try
        {
            _consumer.Close();
        }
        catch (KafkaException failure)
        {
            _logger.LogWarning("{Topic}: {Group} left without a word to its group: {Reason}", _topic, _group, failure.Error.Reason);
            _consumer.Dispose();
        }
        finally
        {
            _ended.SetResult();
        }
    }

    private void Read()
    {
        _kafka.Topics.EnsureAsync(_topic, _stop.Token).GetAwaiter().GetResult();
        if (_sharing == PartitionSharing.Group) _consumer.Subscribe(_name);
        else TakeNewPartitions();
        while (!_stop.IsCancellationRequested)
        {
            HandOver();
            if (_sharing == PartitionSharing.None && _kafka.Time.GetElapsedTime(_lookedForPartitions) >= _kafka.Options.MetadataRefresh) TakeNewPartitions();
            Poll();
        }
    }

    private void Poll()
    {
        ConsumeResult<ReadOnlyMemory<byte>?, ReadOnlyMemory<byte>?>? result;
        try
        {
            result = _consumer.Consume(_open.Count == 0 ? PollTime : TimeSpan.Zero);
        }
        catch (ConsumeException failure)
        {
            Recover(failure);
            return;
        }
        if (result is null)
        {
            Close();
            return;
        }
        int partition = result.Partition.Value;
        if (!_held.TryGetValue(partition, out var from)) return;
        if (from.Open is not { } run) _open.Add(run = from.Open = new PartitionRun(from));
        run.Add(result.Offset.Value, result.Message.Timestamp.UnixTimestampMs, (result.Message.Key ?? default).Span, result.Message.Value, Headers(result.Message.Headers));
        if (run.Messages.Count >= RunMessages || run.Bytes >= RunBytes) Close();
    }

    private void Close()
    {
        foreach (var run in _open)
        {
            run.From.Open = null;
            _waiting.Enqueue(run);
        }
        _open.Clear();
    }

    private void HandOver()
    {
        while (_waiting.TryPeek(out var run))
        {
            if (run.From.IsGone) run.Memory.Dispose();
            else if (!_runs.Writer.TryWrite(run))
            {
                // While paused the wait is Poll's.
                if (!_paused && _runs.Writer.WaitToWriteAsync(_stop.Token).AsTask().Wait(Patience, _stop.Token)) continue;
                _consumer.Pause(_consumer.Assignment);
                _paused = true;
                return;
            }
            _waiting.Dequeue();
        }
        if (!_paused) return;
        _consumer.Resume(_consumer.Assignment);
        _paused = false;
    }

    private void TakeNewPartitions()
    {
        bool first = _lookedForPartitions == 0;
        _lookedForPartitions = _kafka.Time.GetTimestamp();
        try
        {
            int count = _kafka.Topics.CountAsync(_topic, _stop.Token).GetAwaiter().GetResult();
            int[] added = [.. Enumerable.Range(0, count).Where(partition => !_held.ContainsKey(partition))];
            if (added.Length > 0) _consumer.IncrementalAssign(Take(added));
        }
        catch (IOException failure) when (!first)
        {
            _logger.LogDebug(failure, "{Topic}: whether partitions were added is asked again later", _topic);
        }
    }

    private List<TopicPartitionOffset> Take(IReadOnlyCollection<int> partitions)
    {
        var starts = _starts.Of(partitions, _stop.Token);
        foreach (int partition in partitions) _held[partition] = new HeldPartition(partition);
        if (_sharing == PartitionSharing.Group) _logger.LogInformation("{Topic}: {Group} got partitions {Partitions}", _topic, _group, partitions);
        return starts;
    }

    private void Leave(List<TopicPartitionOffset> partitions)
    {
        // A pause outlives the assignment: the partition would come back silent.
        if (_paused) _consumer.Resume(partitions.Select(of => of.TopicPartition));
        foreach (var of in partitions)
        {
            if (!_held.Remove(of.Partition.Value, out var gone)) continue;
            gone.Leave();
            if (gone.Open is not { } open) continue;
            open.Memory.Dispose();
            _open.Remove(open);
            gone.Open = null;
        }
        _logger.LogInformation("{Topic}: {Group} gave up partitions {Partitions}", _topic, _group, partitions.Select(of => of.Partition.Value));
    }

    // What the client cannot mend by itself: a position that the partition does not hold (any more), or no permission. The rest is news.
    private void Recover(ConsumeException failure)
    {
        var error = failure.Error;
        int partition = failure.ConsumerRecord?.Partition.Value ?? -1;
        if (error.Code is ErrorCode.Local_AutoOffsetReset or ErrorCode.Local_LogTruncation or ErrorCode.OffsetOutOfRange && _held.ContainsKey(partition))
        {
            Close();
            var start = _starts.Again(partition, _consumer.Position(new TopicPartition(_name, partition)).Value, _stop.Token);
            // The client fetches no more from a partition that it gave up; a seek does not change that.
            _consumer.IncrementalUnassign([start.TopicPartition]);
            _consumer.IncrementalAssign([start]);
            return;
        }
        if (error.IsFatal || error.Code is ErrorCode.TopicAuthorizationFailed or ErrorCode.GroupAuthorizationFailed) throw new KafkaException(error);
        _kafka.Metrics.Failed(error.Code);
        _logger.LogWarning("{Topic}/{Partition}: {Group}: {Reason} ({Code})", _topic, partition, _group, error.Reason, error.Code);
    }

    private static List<LogHeader>? Headers(Headers? headers)
    {
        if (headers is not { Count: > 0 }) return null;
        var all = new List<LogHeader>(headers.Count);
        foreach (var header in headers) all.Add(new LogHeader(header.Key, header.GetValueBytes()));
        return all;
    }
}
