using System.Text.Json;
using BeeFormer.Streaming.Standalone.Tests.DataSets;

namespace BeeFormer.Streaming.Standalone.Tests.Commands;

public sealed class EvaluateCommandTests : IDisposable
{
    private readonly Files files = new();

    public void Dispose() => files.Dispose();

    [Fact]
    public async Task The_report_has_the_frozen_shape()
    {
        var shop = new ShopFiles(files, products: 120, shoppers: 120);
        string cold = files.Write("cold.txt", string.Concat(Enumerable.Range(1, 30).Select(n => $"p{n:D4}\n"))), json = Path.Combine(files.Folder, "report.json");
        await Tool.SucceedAsync("evaluate", "--data", Path.Combine(files.Folder, "data"), "--items", shop.Items, "--interactions", shop.Interactions, "--policy", shop.Policy, "--cold-items", cold, "--json", json);

        JsonElement report = JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(json));
        Assert.Equal(["users", "cold_items", "rows", "seconds", "mean_cosine"], Shape.Names(report));
        Assert.Equal(30, report.GetProperty("cold_items").GetInt32());
        Assert.InRange(report.GetProperty("users").GetInt32(), 1, 120);
        Assert.Equal(["encode", "train"], Shape.Names(report.GetProperty("seconds")));
        JsonElement[] rows = [.. report.GetProperty("rows").EnumerateArray()];
        Assert.Equal(["base", "trained", "popularity", "tfidf", "trained+tfidf", "random"], rows.Select(row => row.GetProperty("name").GetString()!));
        Assert.Equal(["base", "trained"], Shape.Names(report.GetProperty("mean_cosine")));
        foreach (string model in Shape.Names(report.GetProperty("mean_cosine"))) Assert.InRange(report.GetProperty("mean_cosine").GetProperty(model).GetDouble(), -1, 1);
        foreach (JsonElement row in rows)
        {
            Assert.Equal(["name", "recall@20", "recall@50", "ndcg@100"], Shape.Names(row));
            foreach (string measure in Shape.Names(row).Skip(1)) Assert.InRange(row.GetProperty(measure).GetDouble(), 0, 1);
        }
    }
}
