using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore.Tests;

public sealed class FolderModelStoreTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("model-store-").FullName;
    public void Dispose() => Directory.Delete(folder, recursive: true);

    private FolderModelStore Open() => new(folder, TimeProvider.System);
    private string In(params string[] parts) => Path.Combine([folder, .. parts]);

    private static ModelDraft ADraft(char digit = 'a', ModelVersion? parent = null) => new(
        new Fingerprint(new string(digit, 64)), 384, parent, "w1", new Dictionary<int, long> { [0] = 12, [3] = 9 },
        new JsonObject { ["lr"] = 0.001 }, new JsonObject { ["ndcg@100"] = 0.25 }, "better than its parent");

    private static void AnEncoder(string target, string head = "head 1")
    {
        Directory.CreateDirectory(Path.Combine(target, "head"));
        File.WriteAllText(Path.Combine(target, "model.safetensors"), "weights");
        File.WriteAllText(Path.Combine(target, "head", "head.safetensors"), head);
    }

    [Fact]
    public void Equal_files_of_neighbouring_versions_share_their_bytes_and_others_do_not()
    {
        var store = Open();
        var first = store.EncoderFolder(store.Publish(ADraft(), f => AnEncoder(f)).Version);
        var second = store.EncoderFolder(store.Publish(ADraft('b'), f => AnEncoder(f, "head 2")).Version);
        Assert.Equal("head 1", File.ReadAllText(Path.Combine(first, "head", "head.safetensors")));
        Assert.Equal("head 2", File.ReadAllText(Path.Combine(second, "head", "head.safetensors")));
        // Seen through the other name: one file on disk.
        File.AppendAllText(Path.Combine(first, "model.safetensors"), "!");
        Assert.Equal("weights!", File.ReadAllText(Path.Combine(second, "model.safetensors")));
        Assert.Equal(2, Directory.GetFiles(second, "*", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public void A_failure_while_the_encoder_is_written_leaves_nothing()
    {
        var store = Open();
        Assert.Throws<IOException>(() => store.Publish(ADraft(), f =>
        {
            AnEncoder(f);
            throw new IOException("disk full");
        }));
        Assert.Empty(store.List());
        Assert.Empty(Directory.GetFileSystemEntries(In("models")));
        Assert.Throws<InvalidOperationException>(() => store.Publish(ADraft(), _ => { }));
        Assert.Equal("000001-aaaaaaaa", store.Publish(ADraft(), f => AnEncoder(f)).Version.Value);
    }

    [Fact]
    public void A_crash_between_publishing_and_going_live_is_made_good_when_the_store_opens()
    {
        var store = Open();
        var first = store.Publish(ADraft(), f => AnEncoder(f)).Version;
        store.TryMoveLive(null, first);
        // What PublishLive leaves when the process dies after the version appeared.
        var second = store.Publish(ADraft('b', first), f => AnEncoder(f)).Version;
        File.WriteAllText(In("models", second.Value, "live-after"), first.Value);

        Assert.Equal(second, Open().Live);
        Assert.False(File.Exists(In("models", second.Value, "live-after")));
    }

    [Fact]
    public void A_crash_after_going_live_does_not_undo_a_later_rollback()
    {
        var store = Open();
        var first = store.Publish(ADraft(), f => AnEncoder(f)).Version;
        store.TryMoveLive(null, first);
        var second = store.PublishLive(ADraft('b', first), first, f => AnEncoder(f)).Manifest.Version;
        // What is left when the process dies after the move; another process then takes the model back.
        File.WriteAllText(In("models", second.Value, "live-after"), first.Value);
        store.TryMoveLive(second, first);
        Assert.Equal(first, Open().Live);
    }

    [Fact]
    public void What_a_crash_left_is_invisible_and_removed_on_opening()
    {
        var version = Open().Publish(ADraft(), f => AnEncoder(f)).Version;
        Directory.CreateDirectory(In("models", ".new-1", "encoder"));
        File.WriteAllText(In("models", ".new-1", "manifest.json"), "{");
        File.WriteAllText(In("live.tmp"), "000009-");
        File.WriteAllText(In("refusals", ".new-1"), "{");
        var store = Open();
        Assert.Equal([version], store.List().Select(m => m.Version));
        Assert.False(Directory.Exists(In("models", ".new-1")));
        Assert.Empty(store.Refusals());
        Assert.True(store.TryMoveLive(null, version));
        Assert.Equal(version, Open().Live);
    }

    [Theory]
    [InlineData("{\"version\": \"000001-aaaaaaaa\"")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"version\": 7}")]
    [InlineData("")]
    public void A_damaged_manifest_is_named(string content)
    {
        var version = Open().Publish(ADraft(), f => AnEncoder(f)).Version;
        string file = In("models", version.Value, "manifest.json");
        File.WriteAllText(file, content);
        Assert.Contains(file, Assert.Throws<InvalidDataException>(() => Open().Find(version)).Message, StringComparison.Ordinal);
        AssertDamagedAlone(version, file);
    }

    [Theory]
    [InlineData("fingerprint", "\"../../x\"")]
    [InlineData("fingerprint", "\"\"")]
    [InlineData("version", "\"../../etc\"")]
    [InlineData("version", "\"000001-bbbbbbbb\"")]
    [InlineData("parent", "\"..\"")]
    [InlineData("dimension", "0")]
    [InlineData("dimension", "1e99")]
    [InlineData("published_at", "\"soon\"")]
    [InlineData("window_as_of", "{\"x\": 1}")]
    [InlineData("window_as_of", "{\"0\": null}")]
    [InlineData("window_as_of", "{\"99999999999999\": 1}")]
    [InlineData("metrics", "7")]
    [InlineData("files", "{}")]
    [InlineData("files", "[{\"path\": 7}]")]
    public void A_manifest_with_a_wrong_field_is_named_and_others_keep_working(string field, string value)
    {
        var version = Open().Publish(ADraft(), f => AnEncoder(f)).Version;
        string file = In("models", version.Value, "manifest.json");
        JsonObject json = JsonNode.Parse(File.ReadAllBytes(file))!.AsObject();
        json[field] = JsonNode.Parse(value);
        File.WriteAllText(file, json.ToJsonString());
        AssertDamagedAlone(version, file);
    }

    [Theory]
    [InlineData("model.safetensors", null)]
    [InlineData("model.safetensors", "")]
    [InlineData("model.safetensors", "weightz")]
    [InlineData("head/head.safetensors", "head 1 and more")]
    [InlineData("head/other", "?")]
    public void A_changed_file_of_a_version_is_named_and_others_keep_working(string path, string? content)
    {
        var store = Open();
        var version = store.Publish(ADraft(), f => AnEncoder(f)).Version;
        string file = Path.Combine(store.EncoderFolder(version), path);
        File.Delete(file);
        if (content is not null) File.WriteAllText(file, content);
        Assert.Contains(Path.GetFileName(file), store.Problem(version), StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => store.Export(version, new MemoryStream()));
        // What has the right length is only found by reading it.
        if (content != "weightz") AssertDamagedAlone(version, file);
    }

    private void AssertDamagedAlone(ModelVersion version, string file)
    {
        var store = Open();
        var other = store.Publish(ADraft('c'), f => AnEncoder(f, "head 3")).Version;
        DamagedModel damaged = Assert.Single(store.Damaged());
        Assert.Equal(version, damaged.Version);
        Assert.Contains(file, damaged.Problem, StringComparison.Ordinal);
        Assert.Contains(other, store.List().Select(model => model.Version));
        Assert.Null(store.Problem(other));
        Assert.True(store.TryMoveLive(null, version)); // the pointer moves; looking at the model first is the caller's
        Assert.True(store.TryMoveLive(version, other));
        Assert.Equal((other, version), (Open().Live, Open().Previous));
    }

    [Fact]
    public void A_damaged_refusal_hides_no_other()
    {
        var store = Open();
        for (int n = 0; n < 3; n++) store.RecordRefusal(new Refusal(DateTimeOffset.UnixEpoch, null, "w", [], $"no {n}"));
        File.WriteAllText(In("refusals", "000002.json"), "{");
        Assert.Equal(["no 0", "no 2"], store.Refusals().Select(refusal => refusal.Decision));
    }

    [Fact]
    public void Pointers_of_older_programs_name_no_previous_version()
    {
        var version = Open().Publish(ADraft(), f => AnEncoder(f)).Version;
        File.WriteAllText(In("live"), version.Value + "\n");
        Assert.Equal((version, null), (Open().Live, Open().Previous));
    }

    [Fact]
    public void Manifests_of_older_programs_name_no_files_and_still_work()
    {
        var store = Open();
        var version = store.Publish(ADraft(), f => AnEncoder(f)).Version;
        string file = In("models", version.Value, "manifest.json");
        JsonObject json = JsonNode.Parse(File.ReadAllBytes(file))!.AsObject();
        foreach (string field in (string[])["files", "origin"]) json.Remove(field);
        File.WriteAllText(file, json.ToJsonString());
        Assert.Null(store.Find(version)!.Files);
        Assert.Null(store.Problem(version));
        using var archive = new MemoryStream();
        store.Export(version, archive);
        Assert.NotEmpty(archive.ToArray());
    }

    [Fact]
    public void A_damaged_live_pointer_is_named()
    {
        Open();
        File.WriteAllText(In("live"), "../../etc");
        Assert.Contains(In("live"), Assert.Throws<InvalidDataException>(() => Open().Live).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_of_another_format_is_refused()
    {
        File.WriteAllText(In("model-store.format"), "beeformer model store, format 9");
        Assert.Contains("format 9", Assert.Throws<InvalidDataException>(Open).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Manifest_field_names_are_frozen()
    {
        var json = JsonNode.Parse(ManifestJson.Write(new ModelManifest(new ModelVersion("000001-aaaaaaaa"), DateTimeOffset.UnixEpoch, ADraft())))!.AsObject();
        Assert.Equal(["version", "published_at", "fingerprint", "dimension", "parent", "window_hash", "window_as_of", "hyper_parameters", "metrics", "decision", "files", "origin"], json.Select(f => f.Key));
        Assert.Equal("""{"0":12,"3":9}""", json["window_as_of"]!.ToJsonString());
        var refusal = JsonNode.Parse(RefusalJson.Write(new Refusal(DateTimeOffset.UnixEpoch, null, null, [], "", new Dictionary<int, long> { [3] = 9 })))!.AsObject();
        Assert.Equal(["at", "incumbent", "window_hash", "window_as_of", "metrics", "decision"], refusal.Select(f => f.Key));
        Assert.Equal(9, RefusalJson.Read(refusal).WindowAsOf![3]);
        refusal.Remove("window_as_of"); // what versions before wrote
        Assert.Null(RefusalJson.Read(refusal).WindowAsOf);

        var full = new ModelManifest(new ModelVersion("000002-aaaaaaaa"), DateTimeOffset.UnixEpoch, ADraft(), [new ModelFile("model.safetensors", 7, new string('1', 64))], new ModelOrigin(new ModelVersion("000009-aaaaaaaa"), DateTimeOffset.UnixEpoch, null));
        JsonObject more = JsonNode.Parse(ManifestJson.Write(full))!.AsObject();
        Assert.Equal(["path", "bytes", "sha256"], more["files"]![0]!.AsObject().Select(f => f.Key));
        Assert.Equal(["version", "published_at", "parent"], more["origin"]!.AsObject().Select(f => f.Key));
        ModelManifest again = ManifestJson.Read(more);
        Assert.Equal((full.Files![0], full.Origin), (again.Files![0], again.Origin));
    }
}
