using System.Text.Json;
using BeeFormer.Streaming.Standalone.Commands;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Standalone.SimulatedShop;
using BeeFormer.Streaming.Standalone.Tests.Commands;
using BeeFormer.Streaming.Standalone.Tests.DataSets;

namespace BeeFormer.Streaming.Standalone.Tests.EndToEnd;

/// <summary>Ctrl+C in the middle of long work: the exit code says so, no file is torn, the data folder can be used again at once. And nothing that a terminal would obey goes to a pipe.</summary>
[Collection("Pipeline")]
public sealed class StopTests : IDisposable
{
    /// <summary>A machine that looks like a terminal or a build server to the program.</summary>
    private static readonly (string, string)[] Terminal = [("TERM", "xterm-256color"), ("GITHUB_ACTIONS", "true"), ("COLORTERM", "truecolor")];

    private readonly Files files = new();
    private readonly string data;

    public StopTests() => data = Path.Combine(files.Folder, "data");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => files.Dispose();

    [Fact]
    public async Task Encode_leaves_no_output()
    {
        string input = files.Write("texts.jsonl", string.Concat(Enumerable.Range(0, 20_000).Select(n => $"{{\"text\": \"text number {n} of very many\"}}\n")));
        await InterruptAsync(["encode", "--input", input, "--output", Path.Combine(files.Folder, "out.safetensors"), "--tokens", Path.Combine(files.Folder, "tokens.jsonl")], program => program.Said.Contains("Encoding: ", StringComparison.Ordinal));
        Assert.Equal([input], Directory.GetFileSystemEntries(files.Folder));
    }

    [Fact]
    public async Task Evaluate_leaves_no_report_and_a_folder_that_can_be_used()
    {
        var shop = new ShopFiles(files, products: 200, shoppers: 200);
        string endless = files.Write("endless.yaml", File.ReadAllText(shop.Policy).Replace("head_steps: 20", "head_steps: 1000000", StringComparison.Ordinal)), report = Path.Combine(files.Folder, "report.json");
        await InterruptAsync(["evaluate", "--data", data, "--items", shop.Items, "--interactions", shop.Interactions, "--policy", endless, "--json", report], program => program.Said.Contains("Encoding texts", StringComparison.Ordinal));
        Assert.False(File.Exists(report));
        AssertUsable();
    }

    [Fact]
    public async Task Replay_leaves_what_has_landed()
    {
        var shop = new ShopFiles(files, products: 200, shoppers: 200);
        await InterruptAsync(["replay", "--data", data, "--items", shop.Items, "--interactions", shop.Interactions, "--policy", shop.Policy, "--train-every", "400"],
            _ => Directory.Exists(Path.Combine(data, "windows", "interactions")) && Directory.EnumerateFiles(Path.Combine(data, "windows", "interactions"), "*.parquet", SearchOption.AllDirectories).Any());
        AssertUsable();
        long landed = JsonSerializer.Deserialize<JsonElement>((await Tool.SucceedAsync("windows", "count", "--data", data, "--json")).Output).GetProperty("interactions").GetInt64();
        Assert.InRange(landed, 1, shop.Rows);
    }

    [Fact]
    public async Task Train_cancels_the_training()
    {
        string policy = files.Write("policy.yaml", $"embedder: {TinyEncoder.Folder}\nmax_seq_length: 64\nhead_steps: 60\nhead_output: 128\nmin_holdout_users: 5\nencoder_steps: 1000000\nmax_output: 32\ncheckpoint_every: 0.01\n");
        Shop shop = Shop.Open(new ShopOptions { Products = 200, Shoppers = 250 });
        await using (StandaloneHost host = await StandaloneHost.StartAsync(data, "http://127.0.0.1:0", quiet: true, new Dictionary<string, string?>(ManualTraining.Settings) { ["Policy"] = policy }, Token))
        {
            await host.Pipeline.AppendAsync([.. shop.Products.Select(product => product.Item)], Token);
            await host.Pipeline.AppendAsync([.. shop.Interactions], Token);
        }
        await InterruptAsync(["train", "--data", data, "--policy", policy, "--tempo", "encoder"], _ => File.Exists(Path.Combine(data, "checkpoints", "encoder.json")));
        AssertUsable();
        JsonElement training = JsonSerializer.Deserialize<JsonElement>((await Tool.SucceedAsync("trainings", "list", "--data", data, "--json")).Output).GetProperty("trainings").EnumerateArray().Single();
        Assert.Equal("cancelled", training.GetProperty("state").GetString());
    }

    [Fact]
    public async Task Serve_ends_as_it_should()
    {
        string policy = files.Write("policy.yaml", $"embedder: {TinyEncoder.Folder}\nmax_seq_length: 64\n");
        using Program program = Program.Start(Terminal, ["serve", "--data", data, "--port", "0", "--policy", policy]);
        Assert.Equal(ExitCodes.Done, await program.InterruptAsync(started => started.Said.Contains("Serving on", StringComparison.Ordinal)));
        Assert.DoesNotContain("\u001b", program.Said, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(data, "server.json")));
        AssertUsable();
    }

    [Fact]
    public async Task Models_export_and_import_leave_nothing_half()
    {
        (_, string live) = ModelFolder.Make(data);
        string archive = Path.Combine(files.Folder, "model.tar"), there = Path.Combine(files.Folder, "there");
        AssertStopped(await Tool.StopAsync("no server works on it", "models", "export", live, "--data", data, "--output", archive));
        Assert.Empty(Directory.GetFiles(files.Folder));

        await Tool.SucceedAsync("models", "export", live, "--data", data, "--output", archive);
        (_, string other) = ModelFolder.Make(there);
        Directory.Delete(Path.Combine(there, "models", "models", other), recursive: true); // it would be the same model
        string[] before = [.. Directory.EnumerateFileSystemEntries(Path.Combine(there, "models", "models")).Order(StringComparer.Ordinal)];
        AssertStopped(await Tool.StopAsync("no server works on it", "models", "import", archive, "--data", there));
        Assert.Equal(before, Directory.EnumerateFileSystemEntries(Path.Combine(there, "models", "models")).Order(StringComparer.Ordinal));
        Assert.Contains("it is not live", (await Tool.SucceedAsync("models", "import", archive, "--data", there)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Users_erase_can_be_given_again()
    {
        ModelFolder.Make(data);
        AssertStopped(await Tool.StopAsync("no server works on it", "users", "erase", "user-to-forget", "--data", data));
        AssertUsable();
        Assert.Contains("User user-to-forget: erased.", (await Tool.SucceedAsync("users", "erase", "user-to-forget", "--data", data)).Output, StringComparison.Ordinal);
    }

    private static async Task InterruptAsync(string[] args, Func<Program, bool> when)
    {
        using Program program = Program.Start(Terminal, args);
        int code = await program.InterruptAsync(when);
        Assert.True(code == ExitCodes.Stopped && program.Said.Contains("Stopped.", StringComparison.Ordinal), $"exit code {code}: {program.Said}"); // a process that the signal itself has ended says nothing
        Assert.DoesNotContain("\u001b", program.Said, StringComparison.Ordinal);
    }

    private static void AssertStopped(Tool.Result result)
    {
        Assert.Equal(ExitCodes.Stopped, result.ExitCode);
        Assert.StartsWith("Stopped.", result.Error, StringComparison.Ordinal);
    }

    private void AssertUsable()
    {
        using DataFolder? folder = DataFolder.TryOpenExisting(data);
        Assert.NotNull(folder);
        Assert.Empty(Directory.EnumerateFiles(data, "*.tmp", SearchOption.AllDirectories));
    }
}
