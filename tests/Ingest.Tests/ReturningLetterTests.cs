using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.DeadLetters;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Ingest.Tests;

/// <summary>A dead letter that comes back is the event that it was, however often it comes.</summary>
public sealed class ReturningLetterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-returning-").FullName;
    private readonly MemoryWindowStore _store = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact(Timeout = 60_000)]
    public async Task It_has_the_id_that_it_would_have_had_and_is_listed_once_when_refused_again()
    {
        using var host = Host();
        var log = host.Services.GetRequiredService<IEventLog>();
        using var letters = new DeadLetterLog(log, TimeSpan.FromMinutes(5), _time);
        string early = $$$"""{"user_id":"u","item_id":"i","type":"view","timestamp":{{{_time.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds()}}}}""";
        await log.AppendAsync(Topics.Interactions, [Raw("u", early, [new LogHeader("trace", new byte[] { 1 })]), Raw("v", "broken")], Token);
        await host.StartAsync(Token);
        await LandedAsync(2);
        Assert.Equal("trace", Assert.Single((await letters.FindAsync(new LogPlace(Topics.Interactions, 0, 0), Token))!.Headers!).Name);

        _time.Advance(TimeSpan.FromHours(1));
        await letters.ReplayAsync(new DeadLetterFilter(), force: true, dryRun: false, Token);
        await LandedAsync(4);
        Assert.Equal("interactions/0/0", Assert.Single(_store.Interactions).EventId);
        Assert.Equal("interactions/0/1", Assert.Single((await letters.ListAsync(new DeadLetterFilter(), null, 10, Token)).Letters).Id.ToString());
        await host.StopAsync(Token);
    }

    [Fact(Timeout = 60_000)]
    public async Task CloudEvents_land_like_plain_ones()
    {
        using var host = Host();
        var log = host.Services.GetRequiredService<IEventLog>();
        await log.AppendAsync(Topics.Interactions, [Raw("u", """{"specversion":"1.0","id":"7","source":"/shop","type":"com.shop.purchase","data":{"user_id":"u","item_id":"i"}}""")], Token);
        await log.AppendAsync(Topics.Items, [Raw("i", """{"item_id":"i","title":"Tent"}""",
            [.. new[] { ("specversion", "1.0"), ("id", "8"), ("source", "/pim"), ("type", "changed"), ("time", "2026-01-31T11:00:00Z") }.Select(pair => new LogHeader("ce_" + pair.Item1, Encoding.UTF8.GetBytes(pair.Item2)))])], Token);
        await host.StartAsync(Token);
        await LandedAsync(1);
        await UntilAsync(() => _store.Items.Count == 1);
        Assert.Equal(("/shop/7", "purchase"), (_store.Interactions[0].EventId, _store.Interactions[0].Type));
        Assert.Equal(new DateTimeOffset(2026, 1, 31, 11, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds(), _store.Items[0].Event!.UpdatedAtMs);
        await host.StopAsync(Token);
    }

    private Task LandedAsync(long offset) => UntilAsync(() => _store.NextOffset(Topics.Interactions, 0) >= offset);

    private async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            Token.ThrowIfCancellationRequested();
            _time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }
    }

    private static LogRecord Raw(string key, string value, LogHeader[]? headers = null) => new(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(value), headers);

    private IHost Host()
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Services.AddEmbeddedEventLog(Path.Combine(_folder, "log"));
        builder.Services.AddSingleton<IWindowStore>(_store);
        builder.Services.AddEmbeddedProfiles(Path.Combine(_folder, "profiles"));
        builder.AddIngest();
        builder.Logging.ClearProviders();
        return builder.Build();
    }
}
