using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using BeeFormer.Streaming.Servers;

namespace BeeFormer.Streaming.Compatibility.Tests;

/// <summary><c>beeformer serve</c> on a data folder, asked with a key.</summary>
internal sealed class RunningShop : IAsyncDisposable
{
    private readonly StandaloneProcess _process;

    private RunningShop(StandaloneProcess process, string key) => (_process, Client) = (process, new ShopClient(process.Url, key: key));

    public ShopClient Client { get; }

    /// <param name="folder">Of which <c>data</c> is the data folder.</param>
    public static async Task<RunningShop> StartAsync(string folder, string key, CancellationToken cancellationToken)
    {
        var process = new StandaloneProcess(folder, new Dictionary<string, string?>
        {
            ["Trainer:EveryInteractions"] = "0", ["Trainer:Every"] = "00:00:00", ["Trainer:Threads"] = "1", ["Encoder:Arithmetic"] = "float32", ["Encoder:Path"] = Recording.Encoder, ["Encoder:MaxSequenceLength"] = "32",
        });
        await process.StartAsync(cancellationToken);
        return new RunningShop(process, key);
    }

    /// <summary>What is asked of every version: ids, best first.</summary>
    public async Task<JsonObject> AnswersAsync(CancellationToken cancellationToken)
    {
        await ChildProcess.UntilAsync(IsReadyAsync, "the program to be ready", cancellationToken);
        JsonNode search = await Client.PostAsync("/v1/search", new { text = "golden mirror", k = 5 }, cancellationToken), similar = await Client.GetAsync("/v1/items/item-12/similar?k=5", cancellationToken), models = await Client.GetAsync("/v1/models", cancellationToken);
        return new JsonObject
        {
            ["search"] = Ids(search), ["similar"] = Ids(similar), ["model_version"] = (string?)search["model_version"], ["fingerprint"] = (string?)search["fingerprint"], ["live"] = (string?)models["live"],
            ["models"] = new JsonArray([.. models["models"]!.AsArray().Select(model => (JsonNode)(string)model!["version"]!)]),
        };
    }

    /// <summary>After a start the index has to be opened first.</summary>
    private async Task<bool> IsReadyAsync()
    {
        try
        {
            await Client.GetAsync("/readyz", CancellationToken.None);
            return true;
        }
        catch (HttpRequestException starting) when (starting.StatusCode is HttpStatusCode.ServiceUnavailable)
        {
            return false;
        }
    }

    public static JsonArray Ids(JsonNode answer) => [.. answer["items"]!.AsArray().Select(item => (JsonNode)(string)item!["item_id"]!)];

    /// <summary>SIGTERM: everything is on disk.</summary>
    public async Task StopAsync() => Assert.Equal(0, await _process.StopAsync());

    /// <returns>A key that may do everything, and the file that knows it.</returns>
    public static async Task<(string Key, string File)> MakeKeyAsync(CancellationToken cancellationToken)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [Checkout.Built("Standalone", "beeformer.dll"), "keys", "new", "--name", "compatibility", "--scopes", "read,write,admin", "--json"]) { RedirectStandardOutput = true })!;
        JsonNode made = JsonNode.Parse(await process.StandardOutput.ReadToEndAsync(cancellationToken))!;
        var entry = new JsonObject { ["Name"] = (string)made["name"]!, ["Hash"] = (string)made["hash"]!, ["Scopes"] = (string)made["scopes"]! };
        return ((string)made["key"]!, new JsonObject { ["ApiKeys"] = new JsonArray(entry) }.ToJsonString());
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _process.DisposeAsync();
    }
}
