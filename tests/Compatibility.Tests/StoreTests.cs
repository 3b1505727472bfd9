using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.Servers;

namespace BeeFormer.Streaming.Compatibility.Tests;

/// <summary>What older versions left on servers, and models that they exported.</summary>
public sealed class StoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Versions => Recording.Versions;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory, MemberData(nameof(Versions))]
    public async Task Profiles_in_Redis_are_read_and_written_on(string version)
    {
        Require(RedisServer.Missing);
        var recording = new Recording(version);
        await using RedisProfiles redis = await RedisProfiles.StartAsync(_folder.Of("redis"), Token);
        redis.Restore(recording.Lines("redis.jsonl"));
        Recording.AssertSame(recording.Read("redis-profiles.json"), await Contents.OfUsersAsync(redis.Profiles, Token));
        Assert.Equal(60, redis.Profiles.NextOffset(0));

        int known = (await redis.Profiles.GetAsync(new UserId("user-00"), Token)).Count;
        await redis.Profiles.ApplyAsync(0, 62, [RedisProfiles.Change(60, new StoredChange("user-00", "item-00")), RedisProfiles.Change(61, new StoredChange("user-01", null))], Token);
        Assert.Equal(known + 1, (await redis.Profiles.GetAsync(new UserId("user-00"), Token)).Count);
        Assert.Empty(await redis.Profiles.GetAsync(new UserId("user-01"), Token));
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task Windows_on_S3_are_read_and_written_on(string version)
    {
        Require(S3Server.Missing);
        var recording = new Recording(version);
        await using S3Windows s3 = await S3Windows.StartAsync(_folder.Of("s3"), Token);
        await s3.RestoreAsync(recording.Lines("s3.jsonl"), Token);
        var windows = s3.Open(_folder.Of("copies"));
        Recording.AssertSame(recording.Read("s3-windows.json"), Contents.Windows(windows));

        long next = windows.NextOffset(Topics.Interactions, 0), stored = windows.Describe().Interactions;
        Assert.True(windows.TryWriteInteractions(0, next, next, [new(next, "one more", new UserId("user-00"), new ItemId("item-01"), "purchase", null, 1_775_000_000_000, null)]));
        Assert.Equal((next + 1, stored + 1), (windows.NextOffset(Topics.Interactions, 0), windows.Describe().Interactions));
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task An_exported_model_is_imported_and_is_the_model_that_it_was(string version)
    {
        var recording = new Recording(version);
        JsonNode exported = recording.Read("expected.json")["contents"]!["models"]!["versions"]!.AsArray().Single(model => (string)model!["version"]! == (string)recording.Read("expected.json")["contents"]!["models"]!["live"]!)!;
        var models = new FolderModelStore(_folder.Of("models"), TimeProvider.System);
        string? loaded = null;
        await using FileStream archive = File.OpenRead(recording.Archive);
        (ModelManifest manifest, bool added) = models.Import(archive, "model.tar", 1 << 24, (_, folder) =>
        {
            using EmbeddingModel model = EmbeddingModel.Load(folder, cache: null);
            loaded = model.Fingerprint.Value;
        });
        Assert.True(added);
        Assert.Equal((string)exported["fingerprint"]!, loaded);
        Assert.Equal(((string)exported["fingerprint"]!, (string)exported["decision"]!, (string)exported["version"]!), (manifest.Model.Fingerprint.Value, manifest.Model.Decision, manifest.Origin!.Version.Value));
        Assert.Null(models.Problem(manifest.Version));
    }

    private static void Require(string? missing)
    {
        if (missing is null) return;
        if (Environment.GetEnvironmentVariable("CI") is "true") Assert.Fail(missing);
        Assert.Skip(missing);
    }
}
