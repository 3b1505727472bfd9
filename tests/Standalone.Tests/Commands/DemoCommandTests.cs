using System.Text.Json;
using BeeFormer.Streaming.Standalone.Tests.DataSets;

namespace BeeFormer.Streaming.Standalone.Tests.Commands;

[Collection("Pipeline")]
public sealed class DemoCommandTests : IDisposable
{
    private readonly Files files = new();

    public void Dispose() => files.Dispose();

    [Fact]
    public async Task It_runs_twice_on_one_folder_and_the_report_has_the_frozen_shape()
    {
        string data = Path.Combine(files.Folder, "data");
        JsonElement first = await RunAsync(data);
        string count = (await Tool.SucceedAsync("windows", "count", "--data", data)).Output;
        JsonElement second = await RunAsync(data);

        Assert.Equal(count, (await Tool.SucceedAsync("windows", "count", "--data", data)).Output);
        Assert.Equal(first.GetProperty("live_version").GetString(), second.GetProperty("live_version").GetString());
        Assert.Equal(first.GetProperty("rows").GetRawText(), second.GetProperty("rows").GetRawText());
    }

    private static async Task<JsonElement> RunAsync(string data)
    {
        string json = Path.Combine(data, "..", "demo.json");
        Tool.Result result = await Tool.SucceedAsync("demo", "--data", data, "--port", "0", "--products", "100", "--shoppers", "150", "--exit", "--json", json);
        JsonElement report = JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(json));
        Assert.Equal(["rows", "live_version", "decision"], Shape.Names(report).Take(3));
        Assert.Contains("seconds", Shape.Names(report));
        JsonElement[] rows = [.. report.GetProperty("rows").EnumerateArray()];
        Assert.Equal(["frozen", "trained", "popularity"], rows.Select(row => row.GetProperty("name").GetString()!));
        foreach (JsonElement row in rows)
        {
            Assert.Equal(["name", "recall@20_new", "recall@20", "ndcg@20"], Shape.Names(row));
            foreach (string measure in Shape.Names(row).Skip(1)) Assert.InRange(row.GetProperty(measure).GetDouble(), 0, 1);
        }
        Assert.Contains(report.GetProperty("live_version").GetString()!, result.Output, StringComparison.Ordinal);
        Assert.NotEqual("", report.GetProperty("decision").GetString());
        return report;
    }
}
