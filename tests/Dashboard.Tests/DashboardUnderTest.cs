using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Standalone.SimulatedShop;
using BeeFormer.Streaming.Standalone.Tests.Commands;
using BeeFormer.Streaming.Standalone.Tests.DataSets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(BeeFormer.Streaming.Dashboard.Tests.DashboardUnderTest))]

namespace BeeFormer.Streaming.Dashboard.Tests;

/// <summary>The whole process on a small shop with two models, both in the index, some items with hostile texts, two dead letters; and a browser.</summary>
public sealed class DashboardUnderTest : IAsyncLifetime
{
    /// <summary>Shops get their texts from anywhere. None of this may run or change the page.</summary>
    internal static readonly (string Id, string Title)[] Hostile =
    [
        ("hostile-img", """<img src=x onerror="window.hacked=1">Lantern"""),
        ("hostile-script", "\"><script>window.hacked=1</script><svg onload=\"window.hacked=1\">Lantern"),
        ("javascript:window.hacked=1//", "javascript:window.hacked=1 Lantern"),
        ("../hostile/%2F?#é🐝", "\u202Erevo thgir Lantern 🐝 " + new string('w', 300)),
    ];

    private readonly Files files = new();
    private StandaloneHost? host;
    private IPlaywright? playwright;
    private IBrowser? browser;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    internal string Url => host!.Urls.Single();
    internal HttpClient Client { get; } = new();
    internal IBrowser Browser => browser!;

    /// <summary>Why no test can run here; null: they can.</summary>
    private string? absent;

    /// <summary>An absent browser is no failure, except where CI promised it.</summary>
    internal void SkipOrFail()
    {
        if (absent is null) return;
        if (Environment.GetEnvironmentVariable("CI") == "true") Assert.Fail(absent);
        Assert.Skip(absent);
    }

    public async ValueTask InitializeAsync()
    {
        string chromium = Environment.GetEnvironmentVariable("BEEFORMER_CHROMIUM") is { Length: > 0 } other ? other : "/usr/bin/chromium";
        if (!File.Exists(chromium))
        {
            absent = $"{chromium} is not on this machine; BEEFORMER_CHROMIUM names another.";
            return;
        }
        await PoisonAsync();
        var settings = new Dictionary<string, string?>(ManualTraining.Settings)
        {
            ["Encoder:Path"] = TinyEncoder.Folder,
            ["Variants:0:Name"] = "control", ["Variants:0:Share"] = "0.5",
            ["Variants:1:Name"] = "popular-first", ["Variants:1:Share"] = "0.5", ["Variants:1:Ranking:Popularity"] = "2", ["Variants:1:Ranking:Model"] = "0.5",
            ["Policy"] = files.Write("policy.yaml", $"embedder: {TinyEncoder.Folder}\nmax_seq_length: 64\nhead_steps: 60\nhead_warm_steps: 60\nhead_output: 128\nmin_holdout_users: 5\n"),
        };
        host = await StandaloneHost.StartAsync(Path.Combine(files.Folder, "data"), "http://127.0.0.1:0", quiet: true, settings, Token);
        Client.BaseAddress = new Uri(Url);
        await FillAsync();
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = chromium, Timeout = 180_000 });
    }

    internal async Task<JsonElement> GetAsync(string path) => await Client.GetFromJsonAsync<JsonElement>(path, Token);

    internal async Task PostAsync(string path, object body)
    {
        using HttpResponseMessage response = await Client.PostAsJsonAsync(path, body, Token);
        Assert.True(response.IsSuccessStatusCode, $"{path}: {await response.Content.ReadAsStringAsync(Token)}");
    }

    private async Task FillAsync()
    {
        LivePipeline pipeline = host!.Pipeline;
        Shop shop = Shop.Open(new ShopOptions { Products = 200, Shoppers = 250 });
        await pipeline.AppendAsync([.. shop.Products.Select(product => product.Item)], Token);
        await pipeline.AppendAsync([.. Hostile.Select(item => shop.Products[0].Item with { ItemId = new ItemId(item.Id), Title = item.Title, Description = null })], Token);
        await pipeline.AppendAsync([.. shop.Interactions], Token);
        foreach (string topic in (string[])[Topics.Items, Topics.Interactions]) await pipeline.WaitUntilLandedAsync(topic, null, Token);
        await pipeline.WaitUntilServedAsync(Token);
        TrainingResult trained = await pipeline.TrainAsync(TrainingTempo.Head, "test", Token);
        Assert.True(trained.Version is not null, trained.Decision);
        await pipeline.WaitUntilServedAsync(Token);
    }

    /// <summary>One letter that can be read by now: in the year 2020 somebody's clock was a year ahead. One that never can.</summary>
    private async Task PoisonAsync()
    {
        using DataFolder folder = DataFolder.Open(Path.Combine(files.Folder, "data"));
        await using ServiceProvider services = new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(new StandingClock(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero)))
            .AddEmbeddedEventLog(folder.Log, new EventLog.Embedded.EmbeddedEventLogOptions()).BuildServiceProvider();
        await services.GetRequiredService<IEventLog>().AppendAsync(Topics.Interactions,
        [
            new LogRecord("u"u8.ToArray(), """{"user_id":"u","item_id":"early","type":"view","timestamp":"2021-01-01T00:00:00Z"}"""u8.ToArray()),
            new LogRecord("v"u8.ToArray(), Encoding.UTF8.GetBytes("<img src=x onerror=\"window.hacked=1\">")),
        ], Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null) await browser.DisposeAsync();
        playwright?.Dispose();
        if (host is not null) await host.DisposeAsync();
        Client.Dispose();
        files.Dispose();
    }

    private sealed class StandingClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
