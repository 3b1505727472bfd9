using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.WindowStore.Tests;
using FsCheck.Xunit;

namespace BeeFormer.Streaming.ModelStore.Tests;

/// <summary>What a model store does wherever it lies.</summary>
public abstract class ModelStoreTests(Place place) : IDisposable
{
    public void Dispose() => place.Dispose();

    private IModelStore Open() => place.Open();

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
    public void A_published_version_is_listed_and_found_after_reopening()
    {
        var first = Open().Publish(ADraft(), f => AnEncoder(f));
        var second = Open().Publish(ADraft('b', first.Version), f => AnEncoder(f));
        var store = Open();
        Assert.Equal(["000001-aaaaaaaa", "000002-bbbbbbbb"], store.List().Select(m => m.Version.Value));
        var found = store.Find(second.Version)!;
        Assert.Equal((second.PublishedAt, first.Version, 384, "w1"), (found.PublishedAt, found.Model.Parent!.Value, found.Model.Dimension, found.Model.WindowHash));
        Assert.Equal([(0, 12L), (3, 9L)], found.Model.WindowAsOf.Select(p => (p.Key, p.Value)));
        Assert.Equal("""{"lr":0.001}""", found.Model.HyperParameters.ToJsonString());
        Assert.Equal("weights", File.ReadAllText(Path.Combine(store.EncoderFolder(second.Version), "model.safetensors")));
        Assert.Null(store.Live);
    }

    [Fact]
    public void A_model_published_to_go_live_is_live_and_can_be_taken_back_for_good()
    {
        var store = Open();
        var first = store.Publish(ADraft(), f => AnEncoder(f)).Version;
        store.TryMoveLive(null, first);
        var (second, live) = store.PublishLive(ADraft('b', first), first, f => AnEncoder(f));
        Assert.True(live);
        Assert.Equal(second.Version, store.Live);

        Assert.True(store.TryMoveLive(second.Version, first));
        Assert.Equal(first, Open().Live);
    }

    [Fact]
    public void A_model_whose_place_was_taken_meanwhile_does_not_go_live()
    {
        var store = Open();
        var first = store.Publish(ADraft(), f => AnEncoder(f)).Version;
        var other = store.Publish(ADraft('b'), f => AnEncoder(f)).Version;
        store.TryMoveLive(null, other);
        var (third, live) = store.PublishLive(ADraft('c', first), first, f => AnEncoder(f));
        Assert.False(live);
        Assert.Equal(other, Open().Live);
        Assert.NotNull(store.Find(third.Version));
    }

    [Fact]
    public void Live_moves_only_from_where_it_is_expected()
    {
        var store = Open();
        var first = store.Publish(ADraft(), f => AnEncoder(f)).Version;
        var second = store.Publish(ADraft('b'), f => AnEncoder(f)).Version;
        Assert.False(store.TryMoveLive(second, first));
        Assert.Null(store.Live);
        Assert.True(store.TryMoveLive(null, first));
        Assert.False(store.TryMoveLive(null, second));
        Assert.True(store.TryMoveLive(first, second));
        Assert.Equal(second, Open().Live);
        Assert.Throws<ArgumentException>(() => store.TryMoveLive(second, new ModelVersion("000009-cccccccc")));
    }

    [Fact]
    public void Of_many_that_move_live_at_once_one_succeeds()
    {
        var versions = Enumerable.Range(0, 8).Select(n => Open().Publish(ADraft("abcdef01"[n]), f => AnEncoder(f)).Version).ToArray();
        int moved = 0;
        Parallel.ForEach(versions, version =>
        {
            if (Open().TryMoveLive(null, version)) Interlocked.Increment(ref moved);
        });
        Assert.Equal(1, moved);
        Assert.Contains(Open().Live!.Value, versions);
    }

    [Fact]
    public void Versions_published_at_once_get_numbers_of_their_own()
    {
        Parallel.For(0, 8, n => Open().Publish(ADraft("abcdef01"[n]), f => AnEncoder(f)));
        Assert.Equal(Enumerable.Range(1, 8).Select(n => $"{n:D6}"), Open().List().Select(m => m.Version.Value[..6]));
    }

    [Fact]
    public void Refusals_are_kept_in_order()
    {
        var store = Open();
        for (int n = 0; n < 12; n++) store.RecordRefusal(new Refusal(DateTimeOffset.UnixEpoch.AddDays(n), n == 0 ? null : new ModelVersion("000001-aaaaaaaa"), "w", new JsonObject { ["n"] = n }, $"no {n}"));
        Assert.Equal(Enumerable.Range(0, 12).Select(n => $"no {n}"), Open().Refusals().Select(r => r.Decision));
        Assert.Equal(DateTimeOffset.UnixEpoch.AddDays(3), Open().Refusals()[3].At);
    }

    [Fact]
    public void Names_that_are_no_versions_find_nothing()
    {
        Assert.Null(Open().Find(new ModelVersion("..")));
        Assert.Null(Open().Find(new ModelVersion("000001-aaaaaaaa")));
        Assert.Throws<ArgumentException>(() => Open().EncoderFolder(new ModelVersion("../..")));
    }

    private protected void Live_previous_untrained_leased_and_newest_stay_whatever_the_history(byte[] moves, byte newest)
    {
        using Place own = place.Another();
        IModelStore store = own.Open();
        var versions = Enumerable.Range(0, 9).Select(n => AModel.Publish(store, "abcdef012"[n], window: n == 0 ? null : "w")).ToArray();
        ModelVersion? live = null, before = null;
        foreach (byte move in moves ?? [])
        {
            ModelVersion next = versions[move % versions.Length];
            if (next == live) continue;
            Assert.True(store.TryMoveLive(live, next));
            (before, live) = (live, next);
        }
        ModelVersion leased = versions[newest % versions.Length];
        int count = 1 + newest % 4;
        using (store.Lease(leased))
        {
            var removed = own.Open().Retain(count); // as another process would
            var expected = versions.SkipLast(count).Where(version => version != live && version != before && version != versions[0] && version != leased);
            Assert.Equal(expected, removed);
            Assert.Equal(versions.Except(removed), store.List().Select(model => model.Version));
            Assert.Equal(removed, store.Retired().Select(model => model.Version));
        }
        Assert.Equal((live, before), (store.Live, store.Previous));
    }

    [Fact]
    public void A_version_is_removed_once_its_lease_has_ended()
    {
        IModelStore store = Open();
        ModelVersion first = AModel.Publish(store, 'b');
        AModel.Publish(store, 'c');
        IDisposable lease = store.Lease(first), second = Open().Lease(first);
        Assert.Empty(Open().Retain(1));
        lease.Dispose();
        Assert.Empty(Open().Retain(1));
        second.Dispose();
        Assert.Equal([first], Open().Retain(1));
        Assert.Null(store.Find(first));
        Assert.Contains(first.Value, Assert.Throws<InvalidDataException>(() => store.Lease(first)).Message, StringComparison.Ordinal);
        Assert.Contains(first.Value, Assert.Throws<InvalidDataException>(() => store.Use(first)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_version_in_use_is_manifest_folder_and_lease_in_one()
    {
        IModelStore store = Open();
        ModelVersion first = AModel.Publish(store, 'b');
        AModel.Publish(store, 'c');
        using (ModelInUse used = Open().Use(first))
        {
            Assert.Equal((first, "head b"), (used.Manifest.Version, File.ReadAllText(Path.Combine(used.EncoderFolder, "head", "head.safetensors"))));
            Assert.Empty(Open().Retain(1));
        }
        Assert.Equal([first], Open().Retain(1));
        Assert.Throws<InvalidDataException>(() => store.Use(new ModelVersion("../..")));
    }

    [Fact]
    public async Task Publishing_activating_and_removing_at_once_keep_live_and_previous_whole()
    {
        IModelStore store = Open();
        ModelVersion first = AModel.Publish(store, 'a', window: null);
        Assert.True(store.TryMoveLive(null, first));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(() =>
        {
            IModelStore own = Open();
            for (int n = 0; n < 6; n++)
            {
                ModelVersion live = own.Live!.Value;
                own.PublishLive(AModel.Draft("bcde"[worker], live), live, AModel.Encoder($"{worker} {n}"));
                own.Retain(1);
            }
        }, TestContext.Current.CancellationToken)));
        store.Retain(1);
        Assert.Null(store.Problem(store.Live!.Value));
        Assert.Null(store.Problem(store.Previous!.Value));
        Assert.Equal(first, store.List()[0].Version);
        Assert.Equal(25, store.List().Count + store.Retired().Count);
    }

    [Fact]
    public void Marks_outlive_the_process_and_are_replaced_as_a_whole()
    {
        ModelVersion version = AModel.Publish(Open(), 'b');
        Assert.Empty(Open().Erasures(version));
        var first = new ErasureMark(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero), 7, null);
        var second = new ErasureMark(first.At.AddDays(1), 2, new ModelVersion("000001-aaaaaaaa"));
        Open().MarkErasures(version, [first]);
        Open().MarkErasures(version, [first, second]);
        Assert.Equal([first, second], Open().Erasures(version));
        Assert.Null(Open().Problem(version));
        Assert.Empty(Open().Damaged());
    }

    [Fact]
    public void A_version_that_is_gone_has_no_marks_and_gets_no_folder_back()
    {
        IModelStore store = Open();
        ModelVersion gone = AModel.Publish(store, 'b');
        AModel.Publish(store, 'c');
        Assert.Equal([gone], store.Retain(1));
        store.MarkErasures(gone, [new ErasureMark(DateTimeOffset.UnixEpoch, 1, null)]);
        Assert.Empty(store.Erasures(gone));
        Assert.Null(store.Find(gone));
    }

    [Fact]
    public void A_model_that_was_not_written_whole_leaves_nothing()
    {
        IModelStore store = Open();
        Assert.Throws<IOException>(() => store.Publish(ADraft(), f =>
        {
            AnEncoder(f);
            throw new IOException("disk full");
        }));
        Assert.Throws<InvalidOperationException>(() => store.Publish(ADraft(), _ => { }));
        Assert.Throws<ArgumentException>(() => store.Publish(AModel.Draft(dimension: 0), f => AnEncoder(f)));
        Assert.Empty(Open().List());
        Assert.Equal("000001-aaaaaaaa", store.Publish(ADraft(), f => AnEncoder(f)).Version.Value);
    }

    [Fact]
    public void A_version_that_was_exported_is_imported_elsewhere_once()
    {
        IModelStore store = Open();
        ModelVersion parent = AModel.Publish(store, 'a', window: null), exported = AModel.Publish(store, 'b', parent);
        using var archive = new MemoryStream();
        Open().Export(exported, archive);
        using Place elsewhere = place.Another();
        IModelStore there = elsewhere.Open();
        AModel.Publish(there, 'c');
        (ModelManifest Manifest, bool Added) Import() => there.Import(new MemoryStream(archive.ToArray()), "a.tar", long.MaxValue, (_, _) => { });
        (ModelManifest manifest, bool added) = Import();
        Assert.Equal((true, "000002-bbbbbbbb", exported, (ModelVersion?)null), (added, manifest.Version.Value, manifest.Origin!.Version, there.Live));
        Assert.Equal("head b", File.ReadAllText(Path.Combine(elsewhere.Open().EncoderFolder(manifest.Version), "head", "head.safetensors")));
        Assert.Null(there.Problem(manifest.Version));
        Assert.Equal((manifest.Version, false), (Import().Manifest.Version, Import().Added));
        Assert.Throws<InvalidDataException>(() => there.Import(new MemoryStream(archive.ToArray()), "a.tar", 3, (_, _) => { }));
        Assert.Equal(2, there.List().Count);
    }

    /// <summary>What a holder does that has lost its lease changes nothing, however late it comes.</summary>
    [Fact]
    public async Task Nothing_of_an_earlier_holder_is_written_once_there_is_a_later_one()
    {
        IModelStore store = Open();
        await using HeldLease first = FencingTests.Take(7), second = FencingTests.Take(8);
        IModelStore zombie = store.Under(first);
        ModelVersion live = AModel.Publish(zombie, 'a', window: null), other = AModel.Publish(zombie, 'b', live);
        Assert.True(zombie.TryMoveLive(null, live));
        IModelStore next = Open().Under(second);
        foreach (Action write in (Action[])
        [
            () => AModel.Publish(zombie, 'c'),
            () => zombie.PublishLive(AModel.Draft('c', live), live, AModel.Encoder("head c")),
            () => zombie.TryMoveLive(live, other),
            () => zombie.RecordRefusal(new Refusal(DateTimeOffset.UnixEpoch, live, "w", [], "no")),
            () => zombie.Retain(1),
            () => zombie.MarkErasures(live, [new ErasureMark(DateTimeOffset.UnixEpoch, 1, null)]),
            () => store.Under(first),
        ]) Assert.Contains("trainer", Assert.Throws<LeaseLostException>(write).Message, StringComparison.Ordinal);
        Assert.True(first.Lost.IsCancellationRequested);
        IModelStore seen = Open();
        Assert.Equal((live, (ModelVersion?)null, 2, 0, 0), (seen.Live!.Value, seen.Previous, seen.List().Count, seen.Refusals().Count, seen.Erasures(live).Count));
        Assert.Equal(live, zombie.Live); // it may read
        Assert.True(next.TryMoveLive(live, other));
        Assert.True(store.TryMoveLive(other, live)); // a user needs no lease
        Assert.True(Open().Under(second).TryMoveLive(live, other)); // the same holder, opened once more
    }

    [Fact]
    public async Task A_holder_that_wakes_up_after_it_has_written_its_model_publishes_nothing()
    {
        IModelStore store = Open();
        await using HeldLease first = FencingTests.Take(7), second = FencingTests.Take(8);
        IModelStore zombie = store.Under(first);
        ModelVersion live = AModel.Publish(zombie, 'a', window: null);
        Assert.True(zombie.TryMoveLive(null, live));
        Assert.Throws<LeaseLostException>(() => zombie.PublishLive(AModel.Draft('b', live), live, encoder =>
        {
            AModel.Encoder()(encoder);
            Open().Under(second);
        }));
        Assert.Equal((live, live), (Open().Live!.Value, Assert.Single(Open().List()).Version));
    }
}

public sealed class ModelStoreInFolderTests() : ModelStoreTests(new FolderPlace())
{
    [Property(MaxTest = 40)]
    public void Retention(byte[] moves, byte newest) => Live_previous_untrained_leased_and_newest_stay_whatever_the_history(moves, newest);
}

public sealed class ModelStoreOnS3Tests(S3Server server) : ModelStoreTests(new BucketPlace(server))
{
    [Property(MaxTest = 5)]
    public void Retention(byte[] moves, byte newest) => Live_previous_untrained_leased_and_newest_stay_whatever_the_history(moves, newest);
}
