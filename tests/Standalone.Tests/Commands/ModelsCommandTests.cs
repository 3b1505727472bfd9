using System.Diagnostics;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Standalone.Commands;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Standalone.Tests.DataSets;

namespace BeeFormer.Streaming.Standalone.Tests.Commands;

/// <summary>The same commands, on the folder and through a running server: the same answers, and each says whom it asked.</summary>
[Collection("Pipeline")]
public sealed class ModelsCommandTests : IDisposable
{
    private readonly Files files = new();
    private readonly string data, first, live;

    public ModelsCommandTests()
    {
        data = Path.Combine(files.Folder, "data");
        (first, live) = ModelFolder.Make(data);
    }

    public void Dispose() => files.Dispose();

    private static Task<StandaloneHost> ServeAsync(string data) =>
        StandaloneHost.StartAsync(data, "http://127.0.0.1:0", quiet: true, ManualTraining.Settings, TestContext.Current.CancellationToken);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Models_are_listed_shown_activated_and_exported(bool served)
    {
        await using StandaloneHost? host = served ? await ServeAsync(data) : null;
        string asked = served ? $"Server {host!.Urls.Single()}" : $"Data folder {data} (no server works on it)";

        Tool.Result list = await Tool.SucceedAsync("models", "list", "--data", data);
        Assert.StartsWith(asked, list.Output, StringComparison.Ordinal);
        Assert.Equal((" live ", " previous "), (Cell(list.Output, live), Cell(list.Output, first)));
        JsonElement json = JsonSerializer.Deserialize<JsonElement>((await Tool.SucceedAsync("models", "list", "--data", data, "--json")).Output);
        Assert.Equal([first, live], json.GetProperty("models").EnumerateArray().Select(model => model.GetProperty("version").GetString()!));
        Assert.Equal(first, json.GetProperty("previous").GetString());

        string report = Path.Combine(files.Folder, "model.json");
        Tool.Result show = await Tool.SucceedAsync("models", "show", live, "--data", data, "--json", report);
        Assert.Contains($"{live} ← {first}", show.Output, StringComparison.Ordinal);
        Assert.Contains("whole", show.Output, StringComparison.Ordinal);
        Assert.Contains("0.1234", show.Output, StringComparison.Ordinal);
        JsonElement shown = JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(report));
        Assert.Equal([live, first], shown.GetProperty("lineage").EnumerateArray().Select(one => one.GetProperty("version").GetString()!));
        Assert.NotEmpty(shown.GetProperty("files").EnumerateArray());

        string archive = Path.Combine(files.Folder, "one.tar"), again = Path.Combine(files.Folder, "two.tar");
        foreach (string file in (string[])[archive, again]) Assert.Contains(file, (await Tool.SucceedAsync("models", "export", live, "--data", data, "--output", file)).Output, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(archive), File.ReadAllBytes(again));

        Assert.Contains($"Model {first} is live; before it was {live}.", (await Tool.SucceedAsync("models", "activate", first, "--data", data)).Output, StringComparison.Ordinal);
        Assert.Contains("was live already", (await Tool.SucceedAsync("models", "activate", first, "--data", data)).Output, StringComparison.Ordinal);
        Assert.Equal(" live ", Cell((await Tool.SucceedAsync("models", "list", "--data", data)).Output, first));
        await Tool.RefuseAsync(["models", "activate", "000009-cccccccc", "--data", data], "no model 000009-cccccccc");
        await Tool.RefuseAsync(["models", "show", "..", "--data", data], "There is no model ..");
        await Tool.RefuseAsync(["models", "export", "000009-cccccccc", "--data", data, "--output", Path.Combine(files.Folder, "none.tar")], "no model");
        Assert.Empty(Directory.GetFiles(files.Folder, "none*"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_model_is_carried_to_another_folder_where_it_is_not_live_until_it_is_activated(bool served)
    {
        string archive = Path.Combine(files.Folder, "model.tar"), there = Path.Combine(files.Folder, "there");
        await Tool.SucceedAsync("models", "export", live, "--data", data, "--output", archive);
        (_, string other) = ModelFolder.Make(there);
        Directory.Delete(Path.Combine(there, "models", "models", other), recursive: true); // it would be the same model
        File.WriteAllText(Path.Combine(there, "models", "live"), first + "\n");
        await using StandaloneHost? host = served ? await ServeAsync(there) : null;

        byte[] bytes = File.ReadAllBytes(archive);
        bytes[bytes.Length / 2] ^= 1;
        string broken = files.Write("broken.tar", bytes);
        await Tool.RefuseAsync(["models", "import", broken, "--data", there], broken);
        await Tool.RefuseAsync(["models", "import", files.Write("text.tar", "no archive"), "--data", there], "text.tar", "cut off");
        await Tool.RefuseAsync(["models", "import", Path.Combine(files.Folder, "absent.tar"), "--data", there], "absent.tar does not exist");

        Tool.Result result = await Tool.SucceedAsync("models", "import", archive, "--data", there);
        string imported = $"000002-{live[7..]}";
        Assert.Contains($"The model is here as {imported}; it is not live.", result.Output, StringComparison.Ordinal);
        Assert.Contains("was here already", (await Tool.SucceedAsync("models", "import", archive, "--data", there)).Output, StringComparison.Ordinal);
        string list = (await Tool.SucceedAsync("models", "list", "--data", there)).Output;
        Assert.Equal(" live ", Cell(list, first));
        Assert.Contains($"imported as {live}", list, StringComparison.Ordinal);
        await Tool.SucceedAsync("models", "activate", imported, "--data", there);
        Assert.Equal(" live ", Cell((await Tool.SucceedAsync("models", "list", "--data", there)).Output, imported));
    }

    [Fact]
    public async Task An_archive_whose_model_is_not_what_its_manifest_says_is_refused()
    {
        string archive = Path.Combine(files.Folder, "model.tar"), there = Path.Combine(files.Folder, "there");
        // A manifest that was changed together with its file: every digest is right, the model is another one.
        string config = ModelFolder.OwnFile(data, live, first);
        File.WriteAllText(config, File.ReadAllText(config).Replace(": 32", ": 48", StringComparison.Ordinal));
        string manifest = Path.Combine(data, "models", "models", live, "manifest.json");
        var json = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllBytes(manifest))!.AsObject();
        json.Remove("files"); // as an older program wrote it: nothing to compare with
        File.WriteAllText(manifest, json.ToJsonString());
        await Tool.SucceedAsync("models", "export", live, "--data", data, "--output", archive);
        DataFolder.Open(there).Dispose();
        await Tool.RefuseAsync(["models", "import", archive, "--data", there], "fingerprint", live[7..]);
        await Tool.RefuseAsync(["models", "activate", live, "--data", data], "was not activated", "fingerprint");
        Assert.Contains("No model was published yet", (await Tool.SucceedAsync("models", "list", "--data", there)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_live_model_stops_serve_until_another_is_activated()
    {
        string own = ModelFolder.OwnFile(data, live, first);
        File.WriteAllText(own, "{}");
        await Tool.RefuseAsync(["serve", "--data", data, "--port", "0"], own, "is live and damaged", $"beeformer models activate {first}");
        string list = (await Tool.SucceedAsync("models", "list", "--data", data)).Output;
        Assert.Equal(" live, damaged ", Cell(list, live));
        Assert.Contains("damaged", (await Tool.SucceedAsync("models", "show", live, "--data", data)).Output, StringComparison.Ordinal);
        await Tool.RefuseAsync(["models", "export", live, "--data", data, "--output", Path.Combine(files.Folder, "x.tar")], "damaged");
        await Tool.SucceedAsync("models", "activate", first, "--data", data);
        await using StandaloneHost host = await ServeAsync(data);
        Assert.Equal(" live ", Cell((await Tool.SucceedAsync("models", "list", "--data", data)).Output, first));
        Assert.Equal(" previous, damaged ", Cell((await Tool.SucceedAsync("models", "list", "--data", data)).Output, live));
    }

    [Fact]
    public async Task An_address_that_a_dead_server_left_is_not_asked()
    {
        string address = Path.Combine(data, "server.json");
        File.WriteAllText(address, """{"urls": ["http://127.0.0.1:9"]}""");
        Assert.Contains("no server works on it", (await Tool.SucceedAsync("models", "list", "--data", data)).Output, StringComparison.Ordinal);
        Assert.False(File.Exists(address));
        await using (StandaloneHost host = await ServeAsync(data)) Assert.Contains(host.Urls.Single(), File.ReadAllText(address), StringComparison.Ordinal);
        Assert.False(File.Exists(address));
    }

    [Fact]
    public async Task A_folder_in_use_by_something_else_than_a_server_is_left_alone()
    {
        using DataFolder other = DataFolder.Open(data);
        await Tool.RefuseAsync(["models", "list", "--data", data], data, "in use by another process that serves no API");
        string address = Path.Combine(data, "server.json");
        File.WriteAllText(address, """{"urls": ["http://192.0.2.1:80"]}""");
        await Tool.RefuseAsync(["models", "list", "--data", data], "can be reached from other machines");
        File.WriteAllText(address, """{"urls": ["http://127.0.0.1:9"]}""");
        await Tool.RefuseAsync(["models", "list", "--data", data], "http://127.0.0.1:9", "does not answer");
    }

    [Fact]
    public async Task Where_there_is_no_data_folder_none_is_made()
    {
        string absent = Path.Combine(files.Folder, "absent");
        foreach (string[] command in (string[][])[["models", "list"], ["trainings", "list"], ["train"]]) await Tool.RefuseAsync([.. command, "--data", absent], "is no data folder");
        Assert.False(Directory.Exists(absent));
    }

    [Fact]
    public async Task Where_the_configuration_names_another_place_the_models_there_are_meant()
    {
        string other = Path.Combine(files.Folder, "other");
        (string otherFirst, string otherLive) = ModelFolder.Make(other);
        Assert.Equal(first, otherFirst); // equal names: what tells them apart is which is live
        using (DataFolder folder = DataFolder.Open(other)) Assert.True(new FolderModelStore(folder.Models, TimeProvider.System).TryMoveLive(new ModelVersion(otherLive), new ModelVersion(otherFirst)));
        string place = Path.Combine(other, "models");

        JsonElement list = JsonSerializer.Deserialize<JsonElement>(await ProcessAsync(place, "models", "list", "--data", data, "--json"));
        Assert.Equal(first, list.GetProperty("live").GetString());
        Assert.Contains($"Models in {place}", await ProcessAsync(place, "models", "activate", live, "--data", data), StringComparison.Ordinal);
        Assert.Equal(live, new FolderModelStore(place, TimeProvider.System).Live?.Value);
        Assert.Equal(first, new FolderModelStore(place, TimeProvider.System).Previous?.Value);
    }

    private static async Task<string> ProcessAsync(string models, params string[] args)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host : "dotnet", [typeof(CommandLine).Assembly.Location, .. args])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, Environment = { ["Models__Uri"] = models },
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, await error);
        return await output;
    }

    /// <summary>The cell beside the version, with the spaces around its words made one each.</summary>
    private static string Cell(string table, string version) =>
        $" {table.Split('\n').Single(line => line.StartsWith($"│ {version} ", StringComparison.Ordinal)).Split('│')[2].Trim()} ";
}
