using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Standalone.Access;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Standalone.Tests.DataSets;

namespace BeeFormer.Streaming.Standalone.Tests.Commands;

/// <summary>Keys as they are made, and a server that is told of them by a file.</summary>
[Collection("Pipeline")]
public sealed class KeysCommandTests : IDisposable
{
    private readonly Files files = new();
    private readonly string data;

    public KeysCommandTests()
    {
        data = Path.Combine(files.Folder, "data");
        ModelFolder.Make(data);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => files.Dispose();

    [Fact]
    public async Task A_key_is_shown_with_the_entry_that_knows_it()
    {
        (string key, string entries) = await NewAsync("shop", "write, read");
        JsonElement entry = JsonElement.Parse(entries).GetProperty("ApiKeys")[0];
        Assert.Equal(("shop", "write,read"), (entry.GetProperty("Name").GetString(), entry.GetProperty("Scopes").GetString()));
        Assert.True(ApiKeyHash.Parse(entry.GetProperty("Hash").GetString())!.Fits(key));
        Assert.DoesNotContain(key.Split('.')[2], entries, StringComparison.Ordinal);

        JsonElement made = JsonElement.Parse((await Tool.SucceedAsync("keys", "new", "--name", "shop", "--scopes", "admin", "--json")).Output);
        Assert.True(ApiKeyHash.Parse(made.GetProperty("hash").GetString())!.Fits(made.GetProperty("key").GetString()!));
    }

    [Theory]
    [InlineData("shop", "root", "expected some of read, write, admin")]
    [InlineData("shop", ",", "expected some of read, write, admin")]
    [InlineData("", "read", "expected 1 to 100")]
    public async Task Wrong_words_make_no_key(string name, string scopes, string says)
    {
        Tool.Result result = await Tool.RunAsync("keys", "new", "--name", name, "--scopes", scopes);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(says, result.Error + result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("bf.", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Others_on_the_network_are_served_only_where_there_are_keys_and_keys_change_while_it_serves()
    {
        Assert.Contains("no API keys are configured", (await Assert.ThrowsAsync<InvalidDataException>(ServeAsync)).Message, StringComparison.Ordinal);

        (string first, string entries) = await NewAsync("boss", "read,admin");
        Write(entries);
        await using StandaloneHost host = await ServeAsync();
        string url = $"http://127.0.0.1:{new Uri(host.Urls.Single()).Port}";
        using var client = new HttpClient { BaseAddress = new Uri(url) };
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized), (await StatusAsync(client, first), await StatusAsync(client, null)));

        await Tool.RefuseAsync(["models", "list", "--data", data], "wants an API key", ServerClient.KeyVariable);
        Environment.SetEnvironmentVariable(ServerClient.KeyVariable, first);
        try
        {
            Assert.StartsWith($"Server {url}", (await Tool.SucceedAsync("models", "list", "--data", data)).Output, StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable(ServerClient.KeyVariable, null);
        }

        // Half a file is no reason to let nobody in, nor to stop.
        (string second, entries) = await NewAsync("boss", "read");
        Write(entries[..(entries.Length / 2)]);
        Write(entries);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromMinutes(1));
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await StatusAsync(client, second) != HttpStatusCode.OK)
        {
            HttpStatusCode before = await StatusAsync(client, first);
            Assert.True(before == HttpStatusCode.OK || await StatusAsync(client, second) == HttpStatusCode.OK);
            await pause.WaitForNextTickAsync(patience.Token);
        }
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(client, first));
    }

    [Fact]
    public async Task A_key_file_that_cannot_be_read_stops_the_start()
    {
        Write("""{"ApiKeys":[{"Name":"x","Hash":"y","Scopes":"read"}]}""");
        await Tool.RefuseAsync(["serve", "--data", data, "--port", "0"], "ApiKeys:0: Hash of x");
        Write("{");
        await Tool.RefuseAsync(["serve", "--data", data, "--port", "0"], DataFolder.KeysFile);
    }

    private void Write(string entries) => File.WriteAllText(Path.Combine(data, DataFolder.KeysFile), entries);

    private Task<StandaloneHost> ServeAsync() => StandaloneHost.StartAsync(data, "http://0.0.0.0:0", quiet: true, ManualTraining.Settings, Token);

    private static async Task<(string Key, string Entries)> NewAsync(string name, string scopes)
    {
        string output = (await Tool.SucceedAsync("keys", "new", "--name", name, "--scopes", scopes)).Output;
        string key = output.Split('\n')[0].Split(": ")[1].Trim();
        return (key, output[output.IndexOf('{', StringComparison.Ordinal)..]);
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using HttpResponseMessage response = await client.SendAsync(request, Token);
        return response.StatusCode;
    }
}
