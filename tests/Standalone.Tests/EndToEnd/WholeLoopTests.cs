using System.Net.Http.Json;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Standalone.Commands;
using BeeFormer.Streaming.Standalone.Demo;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Standalone.SimulatedShop;
using BeeFormer.Streaming.Standalone.Tests.DataSets;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.WindowStore;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Tests.EndToEnd;

/// <summary>All services in this process, over HTTP and on disk: events in, better recommendations out, and the same again after a restart.</summary>
[Collection("Pipeline")]
public sealed class WholeLoopTests : IDisposable
{
    private static readonly ShopOptions Options = new() { Products = 500, Shoppers = 700 };
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly Files files = new();

    public void Dispose() => files.Dispose();

    [Fact]
    public async Task The_shop_is_learned_served_and_still_there_after_a_restart()
    {
        Shop shop = Shop.Open(Options);
        State before;
        await using (StandaloneHost host = await StartAsync())
        {
            DemoReport report = await LearnAsync(host);
            DemoRow frozen = report.Rows.Single(row => row.Name == "frozen"), trained = report.Rows.Single(row => row.Name == "trained");
            Assert.True(trained.RecallNew >= 1.5 * frozen.RecallNew, $"{trained} against {frozen}; {report.Decision}");

            IReadOnlyList<ModelManifest> models = host.Pipeline.Models.List();
            Assert.Equal(2, models.Count);
            Assert.Equal(models[1].Version.Value, report.LiveVersion);
            Assert.Equal(models[0].Version, models[1].Model.Parent);
            Assert.Equal(report.Decision, models[1].Model.Decision);

            before = await StateAsync(host);
            Assert.Equal(models[1].Version.Value, before.Served.ModelVersion);
            Assert.Equal(models[1].Model.Fingerprint.Value, before.Served.Fingerprint);
            Assert.Equal(2, before.Served.IndexGeneration); // the untrained pair was the first
            Assert.Equal(shop.Past.Count(), before.Windows.Interactions);
            Assert.Equal(Options.Products, before.Windows.CatalogueItems);
            Assert.Equal(Options.Products, before.Indexed);
        }

        await using (StandaloneHost host = await StartAsync())
        {
            State after = await StateAsync(host);
            Assert.Equal(before.Served, after.Served);
            Assert.Equal(before.Models, after.Models);
            Assert.Equal(before.Indexed, after.Indexed);
            Assert.Equal((before.Windows.Interactions, before.Windows.Users, before.Windows.Items, before.Windows.CatalogueItems),
                (after.Windows.Interactions, after.Windows.Users, after.Windows.Items, after.Windows.CatalogueItems));
            foreach ((Ranked[] then, Ranked[] now) in before.Answers.Zip(after.Answers))
            {
                Assert.Equal(then.Select(item => item.Id), now.Select(item => item.Id));
                for (int n = 0; n < then.Length; n++) Assert.Equal(then[n].Score, now[n].Score, 1e-3);
            }
        }
    }

    private Task<StandaloneHost> StartAsync()
    {
        var settings = new Dictionary<string, string?>(ManualTraining.Settings) { ["Policy"] = files.Write("policy.yaml", "head_steps: 120\nhead_output: 512\nmax_seq_length: 64\n") };
        return StandaloneHost.StartAsync(Path.Combine(files.Folder, "data"), "http://127.0.0.1:0", quiet: true, settings, Token);
    }

    private static Task<DemoReport> LearnAsync(StandaloneHost host)
    {
        IAnsiConsole nowhere = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(TextWriter.Null) });
        return Standalone.Commands.Progress.WithBarsAsync(nowhere, bars => new DemoRun(host.Pipeline, Options, (items, token) => BaseVectors.EncodeAsync(host, items, bars, token),
            host.Board, host.UserVector, host.PopularityHalfLife, host.Time).RunAsync(bars, Token));
    }

    /// <summary>What a client and the stores say, once the Api has followed the index and knows the shoppers.</summary>
    private static async Task<State> StateAsync(StandaloneHost host)
    {
        using var client = new HttpClient { BaseAddress = new Uri(host.Urls.Single()) };
        CollectionInfo collection = await host.Pipeline.WaitUntilServedAsync(Token);
        AliasTarget alias = (await host.Pipeline.Index.ResolveAliasAsync("items", Token))!;
        var served = new Served(collection.Version.Value, collection.Fingerprint.Value, alias.Generation);

        string[] shoppers = ["u0001", "u0002", "u0003"];
        var answers = new List<Ranked[]>();
        foreach (string shopper in shoppers)
        {
            JsonElement answer = default;
            await Condition.HoldsAsync(async () =>
            {
                answer = await ReadAsync(await client.PostAsJsonAsync("v1/recommendations", new { user_id = shopper, k = 10 }, Token));
                return answer.TryGetProperty("items", out _) && Served.Of(answer) == served && !answer.TryGetProperty("fallback", out _);
            }, () => $"The service should know {shopper} and answer with {served}; it says {answer}");
            answers.Add(Ranked.Of(answer));
            Assert.Equal(10, answers[^1].Length);
        }
        foreach (HttpResponseMessage response in new[] { await client.PostAsJsonAsync("v1/search", new { text = "something to print with", k = 5 }, Token), await client.GetAsync("v1/items/p0001/similar?k=5", Token) })
        {
            JsonElement answer = await ReadAsync(response);
            Assert.Equal(served, Served.Of(answer));
            answers.Add(Ranked.Of(answer));
            Assert.Equal(5, answers[^1].Length);
        }
        JsonElement models = await ReadAsync(await client.GetAsync("v1/models", Token));
        Assert.Equal(served, Served.Of(models));
        Assert.Equal(served.ModelVersion, models.GetProperty("live").GetString());
        return new State(served, models.GetProperty("models").GetRawText(), answers, host.Pipeline.Windows.Describe(), await host.Pipeline.Index.CountAsync(alias.Collection, ItemFilter.None, Token));
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage response)
    {
        using (response) return await response.Content.ReadFromJsonAsync<JsonElement>(Token);
    }

    private sealed record State(Served Served, string Models, IReadOnlyList<Ranked[]> Answers, WindowSummary Windows, long Indexed);

    private sealed record Served(string? ModelVersion, string? Fingerprint, long? IndexGeneration)
    {
        public static Served Of(JsonElement answer) => new(answer.GetProperty("model_version").GetString(), answer.GetProperty("fingerprint").GetString(),
            answer.GetProperty("index_generation") is { ValueKind: JsonValueKind.Number } generation ? generation.GetInt64() : null);
    }

    private sealed record Ranked(string Id, double Score)
    {
        public static Ranked[] Of(JsonElement answer) =>
            [.. answer.GetProperty("items").EnumerateArray().Select(item => new Ranked(item.GetProperty("item_id").GetString()!, item.GetProperty("score").GetDouble()))];
    }
}
