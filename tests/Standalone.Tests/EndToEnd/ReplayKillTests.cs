using System.Globalization;
using System.Text.Json;
using BeeFormer.Streaming.Standalone.Tests.Commands;
using BeeFormer.Streaming.Standalone.Tests.DataSets;

namespace BeeFormer.Streaming.Standalone.Tests.EndToEnd;

/// <summary>The built program as a process of its own, killed without warning at several moments and started again each time.</summary>
[Collection("Pipeline")]
public sealed class ReplayKillTests : IDisposable
{
    private readonly Files files = new();
    private readonly ShopFiles shop;
    private readonly string data, report;

    public ReplayKillTests()
    {
        shop = new ShopFiles(files, products: 200, shoppers: 200);
        (data, report) = (Path.Combine(files.Folder, "data"), Path.Combine(files.Folder, "report.json"));
    }

    public void Dispose() => files.Dispose();

    [Fact]
    public async Task A_replay_that_was_killed_three_times_lands_every_row_once()
    {
        await RunAsync(killWhen: () => LandedUpTo("items") > 0);
        await RunAsync(killWhen: () => LandedUpTo("interactions") > shop.Rows / 5);
        long landed = await CountAsync();
        Assert.InRange(landed, 1, shop.Rows - 1);
        await RunAsync(killWhen: () => LandedUpTo("interactions") > shop.Rows * 3 / 5);
        Assert.InRange(await CountAsync(), landed, shop.Rows - 1);

        await RunAsync(killWhen: null);
        Assert.Equal(shop.Rows, await CountAsync());
        long end = LandedUpTo("interactions");
        Assert.Equal(shop.Rows, end); // offsets count what was appended: nothing went into the log twice either
        byte[] measured = File.ReadAllBytes(report);
        CheckReport(JsonSerializer.Deserialize<JsonElement>(measured));

        await RunAsync(killWhen: null);
        Assert.Equal(shop.Rows, await CountAsync());
        Assert.Equal(end, LandedUpTo("interactions"));
        Assert.Equal(measured, File.ReadAllBytes(report));
    }

    private async Task RunAsync(Func<bool>? killWhen)
    {
        using Program program = Program.Start("replay", "--data", data, "--items", shop.Items, "--interactions", shop.Interactions, "--policy", shop.Policy, "--train-every", "400", "--report", report);
        if (killWhen is null) await program.EndAsync();
        else await program.KillAsync(killWhen);
    }

    private async Task<long> CountAsync() => long.Parse((await Tool.SucceedAsync("windows", "count", "--data", data)).Output.Trim(), CultureInfo.InvariantCulture);

    /// <summary>First offset of the topic that no segment covers, by the segments' names.</summary>
    private long LandedUpTo(string topic)
    {
        string folder = Path.Combine(data, "windows", topic);
        if (!Directory.Exists(folder)) return 0;
        return Directory.EnumerateFiles(folder, "*.parquet", SearchOption.AllDirectories)
            .Select(file => Path.GetFileNameWithoutExtension(file).Split('-'))
            .Where(offsets => offsets.Length == 2 && offsets[1].Length == 20)
            .Select(offsets => long.Parse(offsets[1], CultureInfo.InvariantCulture) + 1).DefaultIfEmpty(0).Max();
    }

    private void CheckReport(JsonElement replayed)
    {
        string[] names = Shape.Names(replayed);
        foreach (string name in new[] { "interactions", "periods", "models", "seconds", "peak_memory_mb" }) Assert.Contains(name, names);
        Assert.Equal(shop.Rows, replayed.GetProperty("interactions").GetInt32());
        JsonElement[] periods = [.. replayed.GetProperty("periods").EnumerateArray()];
        Assert.Equal(shop.Rows, periods.Sum(period => period.GetProperty("interactions").GetInt32()));
        foreach (JsonElement period in periods)
        {
            Assert.Equal(["from", "to", "interactions", "rows"], Shape.Names(period));
            JsonElement[] rows = [.. period.GetProperty("rows").EnumerateArray()];
            Assert.Equal(["beeformer", "base", "popularity", "own history", "elsa", "served", "last 10 alike", "last 10 by order"], rows.Select(row => row.GetProperty("name").GetString()!));
            foreach (JsonElement row in rows)
            {
                Assert.Equal(["name", "recall@20", "ndcg@20", "coverage"], Shape.Names(row).Take(4));
                foreach (string measure in Shape.Names(row).Skip(1)) Assert.InRange(row.GetProperty(measure).GetDouble(), measure == "similarity@20" ? -1 : 0, 1); // a mean cosine
            }
        }
        JsonElement[] models = [.. replayed.GetProperty("models").EnumerateArray()];
        int[] trainedAfter = [.. models.Select(model => model.GetProperty("after_interactions").GetInt32())];
        Assert.Equal([.. Enumerable.Range(1, (shop.Rows - 1) / 400).Select(n => n * 400), shop.Rows], trainedAfter);
        foreach (JsonElement model in models)
        {
            Assert.Equal(["version", "decision"], Shape.Names(model).Take(2));
            Assert.False(string.IsNullOrEmpty(model.GetProperty("version").GetString()));
            Assert.False(string.IsNullOrEmpty(model.GetProperty("decision").GetString()));
        }
        Assert.True(replayed.GetProperty("seconds").GetDouble() > 0);
        Assert.True(replayed.GetProperty("peak_memory_mb").GetDouble() > 0);
    }
}
