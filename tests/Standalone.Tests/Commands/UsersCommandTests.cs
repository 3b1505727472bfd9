using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Standalone.Tests.DataSets;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Standalone.Tests.Commands;

/// <summary>From the request to the proof, on the folder and through a running server.</summary>
[Collection("Pipeline")]
public sealed class UsersCommandTests : IDisposable
{
    private const string Gone = "user/to forget", Other = "user-who-stays";

    private readonly Files files = new();
    private readonly string data;
    private readonly string live;

    public UsersCommandTests()
    {
        data = Path.Combine(files.Folder, "data");
        (_, live) = ModelFolder.Make(data);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => files.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_erased_user_is_nowhere_any_more_and_the_models_that_saw_the_user_say_so(bool served)
    {
        await AppendAsync();
        StandaloneHost? host = await ServeAsync();
        await host.Pipeline.WaitUntilLandedAsync(Topics.Interactions, null, Token);
        string trained = Train(host.Pipeline.Windows.NextOffsets(Topics.Interactions));
        if (!served)
        {
            await host.DisposeAsync();
            host = null;
        }
        Tool.Result before = await Tool.RunAsync("users", "verify-erased", Gone, "--data", data);
        Assert.Equal(2, before.ExitCode);
        Assert.Contains("not yet: event log, dead letters, window store, profiles, files hold something of the user", before.Output.ReplaceLineEndings(" "), StringComparison.Ordinal);

        Tool.Result erased = await Tool.SucceedAsync("users", "erase", Gone, "--data", data);
        Assert.StartsWith(served ? $"Server {host!.Urls.Single()}" : $"Data folder {data} (no server works on it)", erased.Output, StringComparison.Ordinal);
        Assert.Contains($"User {Gone}: erased.", erased.Output, StringComparison.Ordinal);

        JsonElement report = JsonSerializer.Deserialize<JsonElement>((await Tool.SucceedAsync("users", "verify-erased", Gone, "--data", data, "--json")).Output);
        Assert.True(report.GetProperty("erased").GetBoolean());
        Assert.Equal(["event log", "dead letters", "window store", "profiles", "models", "files"], report.GetProperty("stores").EnumerateArray().Select(store => store.GetProperty("store").GetString()));
        Assert.Equal(2, (await Tool.RunAsync("users", "verify-erased", Other, "--data", data)).ExitCode);

        Assert.Contains("1 with 3 interactions, 0 of them through an earlier model", (await Tool.SucceedAsync("models", "show", trained, "--data", data)).Output, StringComparison.Ordinal);
        Assert.Contains("saw 1 erased", (await Tool.SucceedAsync("models", "list", "--data", data)).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("erased users", (await Tool.SucceedAsync("models", "show", live, "--data", data)).Output, StringComparison.Ordinal);

        host ??= await ServeAsync();
        Assert.Equal([new UserId(Other)], host.Pipeline.Windows.Read(new WindowQuery()).Users);
        await host.DisposeAsync();
    }

    [Fact]
    public async Task Ids_too_short_to_be_sought_in_files_are_sought_in_the_stores_alone_and_bad_ones_are_refused()
    {
        Tool.Result result = await Tool.SucceedAsync("users", "verify-erased", "ann", "--data", data);
        Assert.Contains("an id of 3 bytes is found in any file by chance", result.Output, StringComparison.Ordinal);
        await Tool.RefuseAsync(["users", "verify-erased", "", "--data", data], "ID is missing or empty");
        await Tool.RefuseAsync(["users", "erase", new string('x', 513), "--data", data], "ID has 513 bytes");
        await Tool.RefuseAsync(["users", "erase", "ann", "--data", Path.Combine(files.Folder, "absent")], "no data folder");
    }

    private Task<StandaloneHost> ServeAsync() => StandaloneHost.StartAsync(data, "http://127.0.0.1:0", quiet: true, ManualTraining.Settings, Token);

    private async Task AppendAsync()
    {
        await using ServiceProvider services = new ServiceCollection().AddLogging().AddEmbeddedEventLog(Path.Combine(data, "log")).BuildServiceProvider();
        var records = new List<LogRecord>();
        for (int n = 0; n < 3; n++) records.AddRange([By(Gone, n), By(Other, n)]);
        records.Add(new LogRecord(Encoding.UTF8.GetBytes(Other), Encoding.UTF8.GetBytes($$"""{"user_id":"{{Gone.Replace("/", "\\/", StringComparison.Ordinal)}}", torn""")));
        await services.GetRequiredService<IEventLog>().AppendAsync(Topics.Interactions, records, Token);
    }

    private static LogRecord By(string user, int n) => InteractionJson.Record(new InteractionEvent(null, new UserId(user), new ItemId($"item {n}"), "view", null, 1_769_000_000_000 + n, null));

    /// <summary>What stands for a training on the window as it is.</summary>
    private string Train(IReadOnlyDictionary<int, long> asOf)
    {
        var models = new FolderModelStore(Path.Combine(data, "models"), TimeProvider.System);
        ModelManifest manifest = models.Find(new ModelVersion(live))!;
        return models.Publish(new ModelDraft(new Fingerprint(new string('e', 64)), manifest.Model.Dimension, new ModelVersion(live), "window", asOf, new JsonObject(), new JsonObject(), "made"),
            target => File.WriteAllText(Path.Combine(target, "weights"), "none")).Version.Value;
    }
}
