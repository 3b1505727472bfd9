using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>Appends, idempotent and acknowledged by all replicas. One for the process.</summary>
internal sealed class KafkaProducer : IDisposable
{
    private static readonly TimeSpan PauseWhenFull = TimeSpan.FromMilliseconds(10);

    private readonly IProducer<byte[], byte[]?> _producer;
    private readonly KafkaOptions _options;
    private readonly TimeProvider _time;

    public KafkaProducer(KafkaOptions options, KafkaHealth health, KafkaMetrics metrics, TimeProvider time, ILogger logger)
    {
        (_options, _time) = (options, time);
        var builder = new ProducerBuilder<byte[], byte[]?>(KafkaClientSettings.Producer(options))
            .SetErrorHandler((client, error) => health.Failed(client.Name, error))
            .SetLogHandler((_, message) => KafkaClientLog.Write(logger, message))
            .SetStatisticsHandler((_, json) =>
            {
                var statistics = KafkaStatistics.Parse(json);
                metrics.Report("", statistics);
                health.Report(statistics);
            });
        try
        {
            _producer = builder.Build();
        }
        catch (Exception refused) when (refused is InvalidOperationException or KafkaException or ArgumentException)
        {
            throw new InvalidDataException($"section Kafka: the client refuses its settings: {refused.Message}", refused);
        }
    }

    /// <summary>For questions over the same connections.</summary>
    public Handle Handle => _producer.Handle;

    /// <summary>Waits until each record is acknowledged or given up.</summary>
    /// <exception cref="IOException">Some were not; see <see cref="IEventLog.AppendAsync"/>.</exception>
    public async Task<LogPosition[]> AppendAsync(string topic, IReadOnlyList<LogRecord> records, CancellationToken cancellationToken)
    {
        var batch = new Batch(topic, records.Count);
        long began = _time.GetTimestamp();
        for (int n = 0; n < records.Count; n++)
        {
            var message = Message(records[n]);
            while (!batch.TryProduce(_producer, n, message))
            {
                if (_time.GetElapsedTime(began) > _options.AppendTimeout)
                {
                    batch.GiveUp(n, new Error(ErrorCode.Local_QueueFull, $"the client's queue was full for {_options.AppendTimeout.TotalSeconds:0.#} s"));
                    break;
                }
                await Task.Delay(PauseWhenFull, _time, cancellationToken).ConfigureAwait(false);
            }
            if (batch.IsGivenUp) break;
        }
        return await batch.Done.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits for appends that somebody still waits for; they have their own time limit.</summary>
    public void Flush() => _producer.Flush(_options.AppendTimeout);

    public void Dispose()
    {
        Flush();
        _producer.Dispose();
    }

    private static Message<byte[], byte[]?> Message(LogRecord record)
    {
        var message = new Message<byte[], byte[]?> { Key = record.Key, Value = record.Value };
        if (record.Headers is not { Count: > 0 } headers) return message;
        message.Headers = [];
        foreach (var header in headers) message.Headers.Add(header.Name, header.Value.ToArray());
        return message;
    }

    /// <summary>Delivery reports of one append, which come on a thread of the client.</summary>
    private sealed class Batch(string topic, int count)
    {
        private readonly LogPosition[] _positions = new LogPosition[count];
        private readonly TaskCompletionSource<LogPosition[]> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _open = count;
        private int _failed;
        private Error? _firstError;

        public Task<LogPosition[]> Done => _done.Task;

        public bool IsGivenUp { get; private set; }

        /// <summary>False: the client's queue is full.</summary>
        public bool TryProduce(IProducer<byte[], byte[]?> producer, int n, Message<byte[], byte[]?> message)
        {
            try
            {
                producer.Produce(topic, message, report => Report(n, report));
                return true;
            }
            catch (ProduceException<byte[], byte[]?> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
            {
                return false;
            }
            catch (KafkaException refused)
            {
                GiveUp(n, refused.Error);
                return true;
            }
        }

        /// <summary>The record and those behind it will have no report.</summary>
        public void GiveUp(int n, Error error)
        {
            IsGivenUp = true;
            Fail(error, _positions.Length - n);
        }

        private void Report(int n, DeliveryReport<byte[], byte[]?> report)
        {
            if (report.Error.IsError)
            {
                Fail(report.Error, 1);
                return;
            }
            _positions[n] = new LogPosition(report.Partition.Value, report.Offset.Value);
            Close(1);
        }

        private void Fail(Error error, int records)
        {
            Interlocked.CompareExchange(ref _firstError, error, null);
            Interlocked.Add(ref _failed, records);
            Close(records);
        }

        private void Close(int records)
        {
            if (Interlocked.Add(ref _open, -records) > 0) return;
            if (_firstError is not { } error) _done.TrySetResult(_positions);
            else _done.TrySetException(new IOException($"topic {topic}: {_failed} of {_positions.Length} records were not acknowledged: {error.Reason} ({error.Code})", new KafkaException(error)));
        }
    }
}
