using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.WindowStore.S3;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.WindowStore.Tests;

public sealed class StorageOptionsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    public void Dispose() => folder.Dispose();

    private IHost Host(IReadOnlyDictionary<string, string?> settings, TimeProvider? time = null, ILoggerProvider? log = null)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(settings);
        if (time is not null) builder.Services.AddSingleton(time);
        if (log is not null) builder.Logging.AddProvider(log);
        builder.Services.AddWindowStore(folder.File("default"));
        return builder.Build();
    }

    [Theory]
    [InlineData("Storage:Uri", "gs://bucket", "Storage:Uri is gs://bucket; expected a folder, file:///folder or s3://bucket/prefix")]
    [InlineData("Storage:Uri", "s3:///prefix", "Storage:Uri is s3:///prefix; expected s3://bucket/prefix")]
    [InlineData("Storage:Retention", "00:00:00", "Storage:Retention is 00:00:00; expected more than zero")]
    [InlineData("Storage:CacheBytes", "-1", "Storage:CacheBytes is -1; expected 0 or more")]
    [InlineData("Storage:S3:ServiceUrl", "minio:9000", "Storage:S3:ServiceUrl is minio:9000; expected http://")]
    public async Task A_wrong_setting_stops_the_start_with_a_sentence(string key, string value, string sentence)
    {
        using var host = Host(new Dictionary<string, string?> { [key] = value });
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains(sentence, failure.Message, StringComparison.Ordinal);
        Assert.Contains(sentence, Assert.Throws<InvalidDataException>(() => Configuration(key, value).OpenWindowStore(folder.File("x"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Storage:Retentoin", "1.00:00:00", "Retentoin")]
    [InlineData("Storage:Retention", "a year", "Storage:Retention")]
    public void A_key_that_is_unknown_or_a_value_of_another_kind_is_named(string key, string value, string name) =>
        Assert.Contains(name, Assert.Throws<InvalidDataException>(() => Configuration(key, value).OpenWindowStore(folder.File("x"))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_store_lies_where_the_uri_says(bool asUri)
    {
        string elsewhere = folder.File("else where");
        using var host = Host(new Dictionary<string, string?> { ["Storage:Uri"] = asUri ? new Uri(elsewhere).AbsoluteUri : elsewhere });
        host.Services.GetRequiredService<ParquetWindowStore>().Write(0, Rows.Purchase(0, "u", "i", 1));
        Assert.Equal(1, new ParquetWindowStore(elsewhere).NextOffset(Topics.Interactions, 0));
        Assert.False(Directory.Exists(folder.File("default")));
    }

    [Theory]
    [InlineData("s3://b", "b", "")]
    [InlineData("s3://b/", "b", "")]
    [InlineData("s3://b/one/two/", "b", "one/two")]
    public void An_s3_uri_names_bucket_and_prefix(string uri, string bucket, string prefix) => Assert.Equal(new S3Location(bucket, prefix), S3Location.TryParse(uri));

    [Fact(Timeout = 60_000)]
    public async Task Upkeep_drops_merges_and_finishes_erasures()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(1000)); // long after the files are written
        using var log = new LastEvent(1303);
        using var host = Host(new Dictionary<string, string?> { ["Storage:Retention"] = "365.00:00:00" }, time, log);
        var store = host.Services.GetRequiredService<ParquetWindowStore>();
        for (int n = 0; n < 9; n++) store.Write(0, Rows.Purchase(n, "u", $"i{n}", n));
        store.Erase(new UserId("ann"), 100);
        store.Write(0, Rows.Purchase(9, "ann", "late", 1), Rows.Purchase(10, "u", "new", 1));
        await host.StartAsync(TestContext.Current.CancellationToken);
        using (var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5)))
            while (!log.Seen.IsCompleted)
            {
                time.Advance(TimeSpan.FromSeconds(15));
                await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            }
        await host.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal(["u new 1@1"], store.Read(new WindowQuery()).Lines());
        Assert.Equal((2, 11L), (store.Describe().InteractionSegments, store.NextOffset(Topics.Interactions, 0)));
    }

    private static IConfiguration Configuration(string key, string value) => new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { [key] = value }).Build();

    /// <summary>Waits for a log event by its number.</summary>
    private sealed class LastEvent(int number) : ILoggerProvider, ILogger
    {
        private readonly TaskCompletionSource seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public Task Seen => seen.Task;
        public ILogger CreateLogger(string categoryName) => this;
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == number) seen.TrySetResult();
        }

        public void Dispose() { }
    }
}
