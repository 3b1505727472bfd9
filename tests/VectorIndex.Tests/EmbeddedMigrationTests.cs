using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex.Embedded;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>Folders of format 1, written here as that format's code wrote them, are taken over once.</summary>
public sealed class EmbeddedMigrationTests : IDisposable
{
    private const string Marker = "vector-index.format";
    private readonly string folder = Directory.CreateTempSubdirectory("vector-index-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;
    private string Collection => Path.Combine(folder, "collections", "c");
    private string OldLog => Path.Combine(Collection, "items.log");

    public EmbeddedMigrationTests()
    {
        Directory.CreateDirectory(Collection);
        File.WriteAllText(Path.Combine(folder, Marker), "beeformer vector index, format 1\n");
        File.WriteAllText(Path.Combine(Collection, "collection.json"), $$"""{"name":"c","dimension":3,"fingerprint":"{{new string('a', 64)}}","version":"000001-aaaaaaaa"}""");
        File.WriteAllText(Path.Combine(folder, "aliases.json"), """{"items":{"collection":"c","generation":4}}""");
        File.WriteAllBytes(OldLog,
        [
            .. Frame(writer =>
            {
                for (int n = 0; n < 200; n++) Upsert(writer, $"i{n:D3}", n, n % 2 == 0, $"title {n}", $$"""{"n":{{n}}}""");
            }),
            .. Frame(writer => Upsert(writer, "i007", 300, true, "newer", "{}")),
            .. Frame(writer => Delete(writer, "i008", 301)),
        ]);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static async Task Check(EmbeddedVectorIndex index)
    {
        var items = (await index.ScrollAsync("c", ItemFilter.None, null, 1000, Token)).ToDictionary(item => item.Id.Value);
        Assert.Equal(199, items.Count);
        Assert.Equal(("newer", 300L, true), (items["i007"].Title, items["i007"].Revision, items["i007"].Available));
        Assert.Equal(("title 9", 9L, false, 9), (items["i009"].Title, items["i009"].Revision, items["i009"].Available, items["i009"].Attributes["n"].GetInt32()));
        Assert.Equal(0.6f, items["i009"].Vector[0]);
        Assert.Equal(new AliasTarget("c", 4), await index.ResolveAliasAsync("items", Token));
        await index.UpsertAsync("c", [items["i009"] with { Id = new ItemId("i008"), Revision = 301 }], Token);
        Assert.Empty(await index.FetchAsync("c", [new ItemId("i008")], Token));
    }

    [Fact]
    public async Task All_is_there_and_the_old_log_is_gone()
    {
        for (int n = 0; n < 2; n++)
        {
            using var index = new EmbeddedVectorIndex(folder, new StoragePlan(0, RecentRows: 64));
            await Check(index);
        }
        Assert.False(File.Exists(OldLog));
        Assert.Contains("format 2", File.ReadAllText(Path.Combine(folder, Marker)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killed_before_any_of_its_changes_to_the_disk_it_is_done_by_the_next_opening()
    {
        string copy = folder + "-copy";
        bool whole = false;
        for (int killedAt = 0; !whole; killedAt++)
        {
            foreach (string file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories))
            {
                string to = Path.Combine(copy, Path.GetRelativePath(folder, file));
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                File.Copy(file, to);
            }
            int step = 0;
            using (DiskChange.Watch((what, path) =>
            {
                if (step++ >= killedAt) throw new IOException($"killed before {what} {path}");
            }))
            {
                try
                {
                    new EmbeddedVectorIndex(copy, new StoragePlan(0, RecentRows: 64)).Dispose();
                    whole = true;
                }
                catch (IOException killed) when (killed.Message.StartsWith("killed", StringComparison.Ordinal))
                {
                }
            }
            using (var index = new EmbeddedVectorIndex(copy, new StoragePlan(0, RecentRows: 64))) await Check(index);
            Directory.Delete(copy, recursive: true);
            if (whole) Assert.True(killedAt > 15, $"only {killedAt} changes to the disk");
        }
    }

    [Fact]
    public async Task A_torn_tail_is_dropped_and_damage_before_it_is_refused()
    {
        byte[] whole = File.ReadAllBytes(OldLog);
        File.WriteAllBytes(OldLog, whole[..^3]);
        using (var index = new EmbeddedVectorIndex(folder)) Assert.Equal(200, await index.CountAsync("c", ItemFilter.None, Token));
        Directory.Delete(Collection, recursive: true);

        Directory.CreateDirectory(Collection);
        File.WriteAllText(Path.Combine(Collection, "collection.json"), $$"""{"name":"c","dimension":3,"fingerprint":"{{new string('a', 64)}}","version":"000001-aaaaaaaa"}""");
        foreach (int position in (int[])[0, 5, 9, 20])
        {
            byte[] damaged = [.. whole];
            damaged[position] ^= 0x40;
            File.WriteAllBytes(OldLog, damaged);
            Assert.Contains(OldLog, Assert.Throws<InvalidDataException>(() => new EmbeddedVectorIndex(folder)).Message, StringComparison.Ordinal);
        }
        File.Delete(OldLog);
        Assert.Contains("items.log", Assert.Throws<InvalidDataException>(() => new EmbeddedVectorIndex(folder)).Message, StringComparison.Ordinal);
    }

    private static byte[] Frame(Action<BinaryWriter> write)
    {
        using var buffer = new MemoryStream();
        using var writer = new BinaryWriter(buffer, Encoding.UTF8);
        write(writer);
        writer.Flush();
        byte[] content = buffer.ToArray(), length = BitConverter.GetBytes(content.Length);
        return [.. length, .. BitConverter.GetBytes(Crc32C.Of(length)), .. BitConverter.GetBytes(Crc32C.Of(content)), .. content];
    }

    private static void Upsert(BinaryWriter writer, string id, long revision, bool available, string title, string attributes)
    {
        writer.Write((byte)1);
        writer.Write(id);
        writer.Write(revision);
        writer.Write(available);
        writer.Write(title);
        writer.Write(attributes.Length);
        writer.Write(Encoding.UTF8.GetBytes(attributes));
        foreach (float number in (float[])[0.6f, 0.8f, 0]) writer.Write(number);
    }

    private static void Delete(BinaryWriter writer, string id, long revision)
    {
        writer.Write((byte)2);
        writer.Write(id);
        writer.Write(revision);
    }
}
