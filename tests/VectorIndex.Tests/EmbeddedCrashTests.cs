using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex.Embedded;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>
/// A history of writes, loads, sealing and merging that ends before one of its changes to the disk, for each of them in turn: from there on none happens any more, as if the process had been killed.
/// What was confirmed is there afterwards, and nothing that was never sent.
/// </summary>
public sealed class EmbeddedCrashTests : IDisposable
{
    private static readonly Fingerprint Model = new(new string('a', 64));
    private static readonly StoragePlan Plan = new(100, RecentRows: 64, MaxSegments: 3, MinListedRows: 80, Background: false);
    private readonly string folder = Directory.CreateTempSubdirectory("vector-index-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Killed_before_any_change_to_the_disk_nothing_confirmed_is_lost()
    {
        var met = new HashSet<string>();
        int steps = 0;
        for (bool whole = false; !whole; steps++) whole = await Run(Path.Combine(folder, $"{steps}"), steps, met);
        Assert.True(steps > 50, $"only {steps} changes to the disk");
        Assert.Superset(new HashSet<string> { "append", "flush", "cut", "write", "rename", "delete", "flush folder" }, met);
    }

    /// <returns>True: the history was over before the step.</returns>
    private static async Task<bool> Run(string at, int killedAt, HashSet<string> met)
    {
        var confirmed = new Dictionary<ItemId, (long Revision, bool Deleted)>();
        var sent = new HashSet<(ItemId, long)>();
        var deletions = new List<(ItemId Id, long Revision)>();
        int step = 0;
        bool created = false, whole = false;
        EmbeddedVectorIndex? index = null;
        using (DiskChange.Watch((what, path) =>
        {
            met.Add(what);
            if (step++ >= killedAt) throw new IOException($"killed before {what} {path}");
        }))
        {
            try
            {
                index = new EmbeddedVectorIndex(at, Plan);
                await index.CreateAsync(new CollectionInfo("c", 3, Model, new ModelVersion("000001-aaaaaaaa")), Token);
                created = true;
                var random = new Random(5);
                for (int round = 0; round < 12; round++)
                {
                    var items = Enumerable.Range(0, 30).Select(_ => new ItemId($"i{random.Next(200)}")).Distinct().Select((id, n) => Item(id, 100 * round + n)).ToList();
                    sent.UnionWith(items.Select(item => (item.Id, item.Revision)));
                    if (round % 3 == 1) await index.LoadAsync("c", items, Token);
                    else await index.UpsertAsync("c", items, Token);
                    if (round % 3 == 1 && round > 6) await index.SettleAsync("c", Token);
                    if (round % 3 != 1 || round > 6) Confirm(items.Select(item => (item.Id, item.Revision)), false);
                    var gone = items.Take(3).Select(item => (item.Id, item.Revision + 50)).ToList();
                    deletions.AddRange(gone);
                    await index.DeleteAsync("c", gone, Token);
                    Confirm(items.Select(item => (item.Id, item.Revision)), false); // a durable write makes what was loaded before it durable
                    Confirm(gone, true);
                    if (round % 4 == 3) index.Get("c").Tidy();
                }
                whole = true;
            }
            catch (IOException killed) when (killed.Message.StartsWith("killed", StringComparison.Ordinal))
            {
            }
            finally
            {
                index?.Dispose();
            }
        }
        using var reopened = new EmbeddedVectorIndex(at, Plan);
        if (!created) return whole;
        var stored = (await reopened.ScrollAsync("c", ItemFilter.None, null, 1000, Token)).ToDictionary(item => item.Id);
        foreach (var (id, (revision, deleted)) in confirmed)
        {
            // Absent: deleted as confirmed, or later by the write that the kill met.
            if (stored.TryGetValue(id, out var item)) Assert.True(deleted ? item.Revision > revision : item.Revision >= revision, $"killed at {killedAt}: {id} is at {item.Revision}, confirmed was {revision}, deleted: {deleted}");
            else Assert.True(deleted || deletions.Any(gone => gone.Id == id && gone.Revision >= revision), $"killed at {killedAt}: {id} at {revision} was confirmed and is lost");
            if (item is not null || !deleted) continue;
            await reopened.UpsertAsync("c", [Item(id, revision)], Token);
            Assert.Empty(await reopened.FetchAsync("c", [id], Token));
        }
        foreach (var item in stored.Values)
        {
            Assert.Contains((item.Id, item.Revision), sent);
            Assert.Equal((Item(item.Id, item.Revision).Title, Item(item.Id, item.Revision).Vector), (item.Title, item.Vector), TitleAndVector);
        }
        return whole;

        void Confirm(IEnumerable<(ItemId Id, long Revision)> changes, bool deleted)
        {
            foreach (var (id, revision) in changes) confirmed[id] = confirmed.TryGetValue(id, out var known) && known.Revision > revision ? known : (revision, deleted);
        }
    }

    private static bool TitleAndVector((string Title, float[] Vector) a, (string Title, float[] Vector) b) => a.Title == b.Title && a.Vector.SequenceEqual(b.Vector);

    private static IndexedItem Item(ItemId id, long revision) =>
        new(id, revision, UnitVector.Of("a test's vector", [1 + revision % 7, revision % 5, 1], 3), $"{id} at {revision}", revision % 4 > 0, new Dictionary<string, JsonElement> { ["n"] = JsonSerializer.SerializeToElement(revision) });

    [Fact]
    public async Task Loading_flushes_nothing_and_settling_does()
    {
        var flushed = new List<string>();
        using var index = new EmbeddedVectorIndex(folder, Plan with { RecentRows = 4096 });
        await index.CreateAsync(new CollectionInfo("c", 3, Model, new ModelVersion("000001-aaaaaaaa")), Token);
        using (DiskChange.Watch((what, path) =>
        {
            if (what.StartsWith("flush", StringComparison.Ordinal)) flushed.Add(path);
        }))
        {
            for (int n = 0; n < 20; n++) await index.LoadAsync("c", [Item(new ItemId($"i{n}"), 1)], Token);
            Assert.Empty(flushed);
            await index.SettleAsync("c", Token);
            Assert.EndsWith("changes.log", Assert.Single(flushed), StringComparison.Ordinal);
            await index.UpsertAsync("c", [Item(new ItemId("one more"), 1)], Token);
            Assert.Equal(2, flushed.Count);
        }
        Assert.Equal(21, await index.CountAsync("c", ItemFilter.None, Token));
    }

    [Fact]
    public async Task A_full_disk_refuses_a_write_whole_and_the_next_one_goes_on()
    {
        using var index = new EmbeddedVectorIndex(folder, Plan);
        await index.CreateAsync(new CollectionInfo("c", 3, Model, new ModelVersion("000001-aaaaaaaa")), Token);
        await index.UpsertAsync("c", [Item(new ItemId("a"), 1)], Token);
        foreach (string step in (string[])["append", "flush"])
        {
            using (DiskChange.Watch((what, path) =>
            {
                if (what == step && path.EndsWith("changes.log", StringComparison.Ordinal)) throw new IOException("full");
            }))
                await Assert.ThrowsAsync<IOException>(async () => await index.UpsertAsync("c", [Item(new ItemId("a"), 2), Item(new ItemId("b"), 2)], Token));
            Assert.Equal(["a 1"], (await index.ScrollAsync("c", ItemFilter.None, null, 10, Token)).Select(item => $"{item.Id} {item.Revision}"));
        }
        await index.UpsertAsync("c", [Item(new ItemId("b"), 3)], Token);
        index.Dispose();
        using var reopened = new EmbeddedVectorIndex(folder, Plan);
        Assert.Equal(["a 1", "b 3"], (await reopened.ScrollAsync("c", ItemFilter.None, null, 10, Token)).Select(item => $"{item.Id} {item.Revision}"));
    }

    [Fact]
    public async Task What_was_loaded_and_not_settled_may_be_torn_anywhere()
    {
        string log = Path.Combine(folder, "collections", "c", "changes.log");
        int durable;
        using (var index = new EmbeddedVectorIndex(folder, Plan))
        {
            await index.CreateAsync(new CollectionInfo("c", 3, Model, new ModelVersion("000001-aaaaaaaa")), Token);
            await index.UpsertAsync("c", [Item(new ItemId("a"), 1)], Token);
            durable = (int)new FileInfo(log).Length;
            for (int n = 0; n < 3; n++) await index.LoadAsync("c", [Item(new ItemId($"loaded {n}"), 1)], Token);
        }
        byte[] bytes = File.ReadAllBytes(log);
        Damage(durable + 25); // the frames after it are whole, but nobody was told that it is safe
        using (var index = new EmbeddedVectorIndex(folder, Plan)) Assert.Equal(["a"], (await index.ScrollAsync("c", ItemFilter.None, null, 10, Token)).Select(item => item.Id.Value));
        Damage(25); // the loaded frames know that it was durable
        Assert.Contains(log, Assert.Throws<InvalidDataException>(() => new EmbeddedVectorIndex(folder, Plan)).Message, StringComparison.Ordinal);

        void Damage(int position)
        {
            byte[] damaged = [.. bytes];
            damaged[position] ^= 1;
            File.WriteAllBytes(log, damaged);
        }
    }

    [Fact]
    public async Task Damage_to_segments_and_their_manifest_is_refused_by_name()
    {
        using (var index = new EmbeddedVectorIndex(folder, Plan))
        {
            await index.CreateAsync(new CollectionInfo("c", 3, Model, new ModelVersion("000001-aaaaaaaa")), Token);
            await index.UpsertAsync("c", [.. Enumerable.Range(0, 50).Select(n => Item(new ItemId($"i{n}"), n))], Token);
            index.Get("c").SealAll();
        }
        string segment = Assert.Single(Directory.GetFiles(Path.Combine(folder, "collections", "c"), "*.segment")), manifest = Path.Combine(folder, "collections", "c", "segments");
        byte[] bytes = File.ReadAllBytes(segment);
        for (int position = 0; position < bytes.Length; position += position < 500 ? 40 : 211)
        {
            byte[] damaged = [.. bytes];
            damaged[position] ^= 0x20;
            File.WriteAllBytes(segment, damaged);
            Refused(segment, position, bytes);
        }
        foreach (int length in (int[])[0, 100, 4096, bytes.Length - 1])
        {
            File.WriteAllBytes(segment, bytes[..length]);
            Refused(segment, length, bytes);
        }
        File.Delete(segment);
        Assert.Contains(segment, Assert.Throws<InvalidDataException>(() => new EmbeddedVectorIndex(folder, Plan)).Message, StringComparison.Ordinal);
        File.WriteAllBytes(segment, bytes);
        byte[] names = File.ReadAllBytes(manifest);
        foreach (int position in (int[])[0, 8, 12, names.Length - 5])
        {
            byte[] damaged = [.. names];
            damaged[position] ^= 1;
            File.WriteAllBytes(manifest, damaged);
            if (position == 8) continue; // the line break says nothing
            Assert.Contains(manifest, Assert.Throws<InvalidDataException>(() => new EmbeddedVectorIndex(folder, Plan)).Message, StringComparison.Ordinal);
        }
        File.WriteAllBytes(manifest, names);
        using (var index = new EmbeddedVectorIndex(folder, Plan)) Assert.Equal(50, await index.CountAsync("c", ItemFilter.None, Token));

        // What steers reading is refused at once, the rest when it was verified, which happens behind the readers' backs.
        void Refused(string file, int position, byte[] sound)
        {
            InvalidDataException? refusal = null;
            EmbeddedVectorIndex? index = null;
            try
            {
                index = new EmbeddedVectorIndex(folder, Plan);
                index.Get("c").Tidy();
                Assert.True(IsPadding(position, sound), $"byte {position} is damaged and nobody noticed");
            }
            catch (InvalidDataException damage)
            {
                refusal = damage;
                if (index is not null) Assert.Throws<InvalidDataException>(() => index.CountAsync("c", ItemFilter.None, Token).AsTask().GetAwaiter().GetResult());
            }
            finally
            {
                index?.Dispose();
            }
            if (refusal is not null) Assert.Contains(file, refusal.Message, StringComparison.Ordinal);
        }

        static bool IsPadding(int position, byte[] sound)
        {
            if (position < Segment.HeaderBytes) return false;
            for (int n = 0; n < Enum.GetValues<SegmentColumn>().Length; n++)
            {
                long start = BitConverter.ToInt64(sound, 32 + 24 * n), length = BitConverter.ToInt64(sound, 40 + 24 * n);
                if (position >= start && position < start + length) return false;
            }
            return position < sound.Length - 1;
        }
    }
}
