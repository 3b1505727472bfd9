using System.Text.Json;
using BeeFormer.Streaming.Standalone.Tests.DataSets;

namespace BeeFormer.Streaming.Standalone.Tests.Commands;

/// <summary>With <c>--json</c> and no file, standard output holds the result and nothing else; with a file it holds what it does without.</summary>
[Collection("Pipeline")]
public sealed class JsonTests : IDisposable
{
    private readonly Files files = new();

    public void Dispose() => files.Dispose();

    [Fact]
    public async Task Encode()
    {
        string input = files.Write("texts.jsonl", "{\"text\": \"a stove\"}\n{\"text\": \"a tent\"}\n"), report = Path.Combine(files.Folder, "report.json");
        string[] args = ["encode", "--encoder", TinyEncoder.Folder, "--input", input, "--output", Path.Combine(files.Folder, "out.safetensors"), "--json"];
        JsonElement json = JsonSerializer.Deserialize<JsonElement>((await Tool.SucceedAsync(args)).Output);
        Assert.Equal((2, 32, "float32"), (json.GetProperty("texts").GetInt32(), json.GetProperty("dimension").GetInt32(), json.GetProperty("arithmetic").GetString()));
        Tool.Result beside = await Tool.SucceedAsync([.. args, report]);
        Assert.Contains("2 texts, dimension 32", beside.Output, StringComparison.Ordinal);
        Assert.Equal(json.GetRawText(), JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(report)).GetRawText());
    }

    [Fact]
    public async Task Encoder_info() =>
        Assert.Equal(32, JsonSerializer.Deserialize<JsonElement>((await Tool.SucceedAsync("encoder", "info", TinyEncoder.Folder, "--json")).Output).GetProperty("dimension").GetInt32());

    [Fact]
    public async Task Evaluate_replay_and_windows()
    {
        var shop = new ShopFiles(files, products: 60, shoppers: 60);
        string data = Path.Combine(files.Folder, "data");
        string[] dataSet = ["--data", data, "--items", shop.Items, "--interactions", shop.Interactions, "--policy", shop.Policy, "--json"];
        Assert.NotEmpty(JsonSerializer.Deserialize<JsonElement>((await Tool.SucceedAsync(["evaluate", .. dataSet])).Output).GetProperty("rows").EnumerateArray());
        Assert.Equal(shop.Rows, JsonSerializer.Deserialize<JsonElement>((await Tool.SucceedAsync(["replay", "--train-every", "0", .. dataSet])).Output).GetProperty("interactions").GetInt32());
        foreach (string what in (string[])["count", "describe"])
            Assert.Equal(shop.Rows, JsonSerializer.Deserialize<JsonElement>((await Tool.SucceedAsync("windows", what, "--data", data, "--json")).Output).GetProperty("interactions").GetInt32());
    }
}
