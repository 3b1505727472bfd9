using System.Diagnostics.Metrics;
using BeeFormer.Streaming.EventLog.Kafka;
using Confluent.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.EventLog.Tests.Kafka;

public sealed class KafkaHealthTests
{
    // As the client writes it, without the many fields that nobody reads.
    private const string Statistics = """
        {"name":"beeformer#consumer-2","type":"consumer","msg_cnt":5,"txmsgs":7,"rxmsgs":9,
         "brokers":{"k:1/bootstrap":{"nodeid":-1,"state":"UP","rtt":{"avg":900}},"k:1/1":{"nodeid":1,"state":"UP","rtt":{"avg":2500}},"k:2/2":{"nodeid":2,"state":"CONNECT","rtt":{"avg":0}}},
         "topics":{"items":{"partitions":{"0":{"partition":0,"consumer_lag":12},"1":{"partition":1,"consumer_lag":-1},"-1":{"partition":-1,"consumer_lag":0}}}}}
        """;

    private readonly KeptLog<KafkaHealth> _log = new();
    private readonly Lifetime _host = new();
    private readonly IMeterFactory _meters = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();
    private readonly KafkaMetrics _metrics;

    public KafkaHealthTests() => _metrics = new KafkaMetrics(_meters);

    private readonly FakeTimeProvider _time = new();

    private KafkaHealth Health() => new(_host, _metrics, _time, _log);

    private static async Task<(HealthStatus, string?)> CheckAsync(KafkaHealth health)
    {
        var result = await health.CheckHealthAsync(new HealthCheckContext(), TestContext.Current.CancellationToken);
        return (result.Status, result.Description);
    }

    [Fact]
    public async Task An_error_that_the_client_cannot_recover_from_stops_the_host()
    {
        var health = Health();
        health.Failed("producer-1", new Error(ErrorCode.OutOfOrderSequenceNumber, "sequence lost", isFatal: true));
        Assert.Equal(1, _host.Stops);
        Assert.Contains("sequence lost", Assert.Single(_log.Of(LogLevel.Critical)));
        Assert.Equal((HealthStatus.Unhealthy, "the Kafka client producer-1 cannot go on: sequence lost (OutOfOrderSequenceNumber)"), await CheckAsync(health));
    }

    [Fact]
    public async Task Other_errors_are_the_clients_to_mend()
    {
        var health = Health();
        health.Failed("producer-1", new Error(ErrorCode.Local_AllBrokersDown, "1/1 brokers are down"));
        Assert.Equal(0, _host.Stops);
        Assert.Equal((HealthStatus.Healthy, null), await CheckAsync(health));
    }

    [Fact]
    public void What_every_client_says_again_and_again_is_logged_now_and_then()
    {
        var health = Health();
        for (int n = 0; n < 500; n++) health.Failed($"consumer-{n % 2}", new Error(ErrorCode.Local_Transport, "Connection refused"));
        health.Failed("consumer-1", new Error(ErrorCode.Local_AllBrokersDown, "1/1 brokers are down"));
        Assert.Equal(["Kafka client consumer-0: Connection refused (Local_Transport)", "Kafka client consumer-1: 1/1 brokers are down (Local_AllBrokersDown)"], _log.Of(LogLevel.Warning));
        _time.Advance(TimeSpan.FromSeconds(10));
        health.Failed("consumer-1", new Error(ErrorCode.Local_Transport, "Connection refused"));
        Assert.Equal("Kafka client consumer-1: Connection refused (Local_Transport; 499 more since the last of the kind was logged)", _log.Of(LogLevel.Warning).Last());
    }

    [Fact]
    public async Task Health_is_degraded_while_no_broker_is_connected()
    {
        var health = Health();
        var statistics = KafkaStatistics.Parse(Statistics);
        health.Report(statistics with { Brokers = [statistics.Brokers[1]] });
        Assert.Equal((HealthStatus.Degraded, "no Kafka broker can be reached; appends fail until one can"), await CheckAsync(health));
        health.Report(statistics);
        Assert.Equal((HealthStatus.Healthy, null), await CheckAsync(health));
    }

    [Fact]
    public void Statistics_become_metrics_until_their_client_is_gone()
    {
        var seen = new List<string>();
        using var listener = new MeterListener { InstrumentPublished = (instrument, self) => { if (instrument.Meter.Scope == _meters) self.EnableMeasurementEvents(instrument); } };
        void Add<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? _) => seen.Add($"{instrument.Name}={value} {string.Join(' ', tags.ToArray().Select(tag => tag.Value))}".TrimEnd());
        listener.SetMeasurementEventCallback<long>(Add);
        listener.SetMeasurementEventCallback<double>(Add);
        listener.Start();

        _metrics.Report("ingest", KafkaStatistics.Parse(Statistics));
        listener.RecordObservableInstruments();
        Assert.Equal(["eventlog.lag=12 ingest items 0", "eventlog.append.queue=5", "eventlog.round_trip=2.5 beeformer#consumer-2 k:1/1", "eventlog.sent=7 beeformer#consumer-2", "eventlog.received=9 beeformer#consumer-2"], seen);

        seen.Clear();
        _metrics.Forget("beeformer#consumer-2");
        listener.RecordObservableInstruments();
        Assert.Equal(["eventlog.append.queue=0"], seen);
    }

    private sealed class Lifetime : IHostApplicationLifetime
    {
        public int Stops { get; private set; }
        public CancellationToken ApplicationStarted => default;
        public CancellationToken ApplicationStopping => default;
        public CancellationToken ApplicationStopped => default;
        public void StopApplication() => Stops++;
    }
}
