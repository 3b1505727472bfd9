using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Servers;
using Microsoft.Extensions.DependencyInjection;

[assembly: AssemblyFixture(typeof(BeeFormer.Streaming.Compatibility.Tests.Writing))]

namespace BeeFormer.Streaming.Compatibility.Tests;

/// <summary>With <c>BEEFORMER_WRITE_COMPAT=1</c> records what this version writes, before the tests. Done once a version, when it is released: what was released is never written anew.</summary>
public sealed class Writing : IAsyncLifetime
{
    private const string Few = "head_output: 64\nmin_holdout_users: 5\nholdout_share: 0.2\n",
        Published = Few + "seed: 7\nhead_steps: 300\nwarm_start: base\nhead_dropout: 0\nhead_word_lr: 0.05\ntolerance: 1\ncoverage_tolerance: 1\nforgetting_tolerance: 1\nmin_probability: 0.5\n", Refused = Few + "seed: 8\nhead_steps: 1\nwarm_start: base\nmin_probability: 0.999\n";

    public async ValueTask InitializeAsync()
    {
        if (Environment.GetEnvironmentVariable("BEEFORMER_WRITE_COMPAT") != "1") return;
        var recording = new Recording(typeof(IEventLog).Assembly.GetName().Version!.ToString(3));
        if (Directory.Exists(recording.Folder)) throw new InvalidOperationException($"{recording.Folder} is there already: remove it by hand if this version was not released yet.");
        Directory.CreateDirectory(recording.Folder);
        using var folder = new TemporaryFolder();
        CancellationToken token = TestContext.Current.CancellationToken;
        recording.WriteLines("control-messages.jsonl", ControlMessage.All.Select(message => new JsonObject { ["type"] = message.Type, ["envelope"] = message.Write() }));
        await WriteRedisAsync(recording, folder.Of("redis"), token);
        await WriteS3Async(recording, folder, token);
        await WriteDataAsync(recording, folder.Of("shop"), token);
    }

    private static async Task WriteDataAsync(Recording recording, string folder, CancellationToken token)
    {
        string data = Path.Combine(folder, "data");
        Directory.CreateDirectory(folder);
        (string key, string keys) = await RunningShop.MakeKeyAsync(token);
        await using (RunningShop shop = await RunningShop.StartAsync(folder, "none", token))
        {
            await shop.Client.PutItemsAsync(SmallShop.Items, token);
            await shop.Client.PutEventsAsync(SmallShop.Events, token);
            await shop.Client.DeleteItemAsync(SmallShop.Deleted, token);
            await shop.Client.SettledAsync(token);
            await TrainAsync(shop, Published, token);
            await shop.StopAsync();
        }
        await using (ServiceProvider services = new ServiceCollection().AddLogging().AddEmbeddedEventLog(Path.Combine(data, "log")).BuildServiceProvider())
            await services.GetRequiredService<IEventLog>().AppendAsync(Topics.Interactions, [SmallShop.Unreadable, SmallShop.CloudEvent], token);
        File.WriteAllText(Path.Combine(data, "keys.json"), keys);

        JsonObject expected;
        await using (RunningShop shop = await RunningShop.StartAsync(folder, key, token))
        {
            await shop.Client.ForgetUserAsync(SmallShop.Erased, token);
            await shop.Client.PutEventsAsync([SmallShop.Last], token);
            await ChildProcess.UntilAsync(async () => (await shop.Client.GetAsync($"/v1/users/{Uri.EscapeDataString(SmallShop.Erased)}/erasure", token))["erased"]!.GetValue<bool>(), "the erasure", token);
            await shop.Client.SettledAsync(token);
            await TrainAsync(shop, Refused, token);
            expected = new JsonObject { ["key"] = key, ["answers"] = await shop.AnswersAsync(token) };
            await shop.StopAsync();
        }
        foreach (string unneeded in (string[])["lock", "server.json"]) File.Delete(Path.Combine(data, unneeded));
        recording.Pack(data, "data.tar.gz");
        recording.WriteLines("log.jsonl", (await Contents.LogAsync(data, token)).Select(one => Contents.Line(one.Topic, one.Message)));
        expected["contents"] = await Contents.OfAsync(data, token);
        recording.Write("expected.json", expected);
        var models = new FolderModelStore(Path.Combine(data, "models"), TimeProvider.System);
        using (FileStream archive = File.Create(recording.Archive)) models.Export(models.Live!.Value, archive);

        // Or the recording would show less than it is for.
        Assert.True(models.List().Count >= 2 && models.Refusals().Count > 0 && models.List().Any(manifest => models.Erasures(manifest.Version).Count > 0), expected.ToJsonString());
    }

    private static async Task TrainAsync(RunningShop shop, string policy, CancellationToken token) => await shop.Client.TrainedAsync(await shop.Client.TrainAsync("head", policy, token), token);

    private static async Task WriteRedisAsync(Recording recording, string folder, CancellationToken token)
    {
        await using RedisProfiles redis = await RedisProfiles.StartAsync(folder, token);
        await redis.Profiles.ApplyAsync(0, 60, [.. StoredChange.All.Select((change, n) => RedisProfiles.Change(n, change))], token);
        recording.WriteLines("redis.jsonl", redis.Dump());
        recording.Write("redis-profiles.json", await Contents.OfUsersAsync(redis.Profiles, token));
    }

    private static async Task WriteS3Async(Recording recording, TemporaryFolder folder, CancellationToken token)
    {
        await using S3Windows s3 = await S3Windows.StartAsync(folder.Of("s3"), token);
        var windows = s3.Open(folder.Of("copies"));
        S3Windows.Fill(windows);
        recording.WriteLines("s3.jsonl", await s3.DumpAsync(token));
        recording.Write("s3-windows.json", Contents.Windows(windows));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
