using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore.Tests;

/// <summary>Erasure and the files of a folder: a crash before every single change to the disk, and what is left of the user in any file.</summary>
public sealed class FolderErasureTests : IDisposable
{
    private static readonly UserId Ann = new("ann's");
    private readonly FolderPlace place = new();
    public void Dispose() => place.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_crash_at_any_step_is_mended_by_repeating_or_by_upkeep(bool repeat)
    {
        int steps = 0;
        for (bool crashed = true; crashed; steps++)
        {
            using var fresh = new FolderPlace();
            var store = fresh.Open();
            store.Write(0, Rows.Purchase(0, "ann's", "a", 1), Rows.Purchase(1, "bob", "a", 2));
            store.Write(0, Rows.Purchase(2, "ann's", "b", 3));
            store.Write(1, Rows.Purchase(0, "ann's", "c", 5, "third"), Rows.Purchase(1, "bob", "c", 6, "fourth"));
            int step = 0;
            using (DiskChange.Watch((what, path) => { if (step++ == steps) throw new IOException($"died before it could {what} {path}"); }))
                crashed = Record.Exception(() => store.Erase(Ann, 10)) is IOException;
            var next = fresh.Open();
            bool noted = next.Erasures().Count > 0;
            if (repeat) next.Erase(Ann, 10);
            else next.FinishErasures();
            if (!repeat && !noted) continue; // the request was not taken yet: the log brings it again
            Assert.Equal(["bob a 1@2", "bob c 1@6"], next.Read(new WindowQuery()).Lines());
            Assert.Empty(next.FindUser(Ann));
            var erasure = Assert.Single(next.Erasures());
            Assert.True(erasure.Done);
            Assert.Equal([new ErasedRow(0, 0, 1), new ErasedRow(0, 2, 3), new ErasedRow(1, 0, 5)], erasure.Rows!);
            Assert.Equal((3L, 2L), (next.NextOffset(Topics.Interactions, 0), next.NextOffset(Topics.Interactions, 1)));
        }
        Assert.InRange(steps, 10, 100);
    }

    [Fact]
    public void Segments_without_the_user_are_not_touched_and_no_file_names_the_user()
    {
        var store = place.Open();
        store.Write(0, Rows.Purchase(0, "ann's", "a", 1), Rows.Purchase(1, "bob", "a", 2));
        store.Write(0, Rows.Purchase(2, "bob", "b", 4));
        string untouched = place.File("interactions/p=0/00000000000000000002-00000000000000000002.parquet");
        DateTime old = new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        foreach (string file in Directory.GetFiles(place.File("interactions/p=0"), "*.parquet")) File.SetLastWriteTimeUtc(file, old);
        byte[] before = File.ReadAllBytes(untouched);
        store.Erase(Ann, 10);
        Assert.Equal(before, File.ReadAllBytes(untouched));
        Assert.All(Directory.GetFiles(place.File("interactions/p=0"), "*.parquet"), file => Assert.Equal(old, File.GetLastWriteTimeUtc(file))); // retention goes by it
        foreach (string file in Directory.GetFiles(place.File(""), "*", SearchOption.AllDirectories))
            Assert.DoesNotContain("ann's", File.ReadAllText(file), StringComparison.Ordinal);
    }

    [Fact]
    public void The_search_finds_covered_segments_temporary_files_and_spilled_rows_and_erasing_removes_them()
    {
        var store = place.Open();
        store.Write(0, Rows.Purchase(0, "ann's", "a", 1));
        string segment = place.File("interactions/p=0/00000000000000000000-00000000000000000000.parquet");
        store.Write(0, Rows.Purchase(1, "bob", "a", 2));
        string covered = place.File("interactions/p=0/00000000000000000001-00000000000000000001.parquet");
        string merged = place.File("interactions/p=0/00000000000000000001-00000000000000000005.parquet");
        File.Move(covered, merged);
        string[] names = ["interactions/p=0/.write-1.tmp", "interactions/p=0/.rewrite-2.tmp", "interactions/p=0/.write-3.tmp", ".spill/block"];
        File.Copy(segment, covered);
        File.Copy(segment, place.File(names[0]));
        File.WriteAllBytes(place.File(names[1]), File.ReadAllBytes(segment)[..^20]); // cut short: nobody can say that the user is not in it
        File.WriteAllText(place.File(names[2]), $"{new string('x', (1 << 20) - 3)}ann's"); // over the edge of a block
        Directory.CreateDirectory(place.File(".spill"));
        File.WriteAllText(place.File(names[3]), "rows of ann's");
        Assert.Equal([.. names.Select(place.File).Append(segment).Append(covered).Order(StringComparer.Ordinal)], store.FindUser(Ann));
        store.Erase(Ann, 10);
        Assert.Empty(store.FindUser(Ann));
        Assert.All(names, name => Assert.False(File.Exists(place.File(name))));
    }

    /// <summary>Notes outlive any build: expected values may grow, never change.</summary>
    [Fact]
    public void The_note_of_an_erasure_is_frozen()
    {
        var store = place.Open();
        store.Write(3, Rows.Purchase(7, "ann's", "a", 1));
        Directory.CreateDirectory(place.File("erasures"));
        File.WriteAllText(place.File("erasures/salt"), new string('0', 64));
        store.Erase(Ann, 10);
        const string User = "ea4aecc8318f14054788462801a4ed8ae021cecb9e490d4ef05521786753420d";
        Assert.Equal(
            $$"""{"user":"{{User}}","at_ms":10,"below":{"3":8},"done":true,"removed":[{"partition":3,"first_offset":7,"last_offset":7,"from_ms":1,"to_ms":1,"rows":1}],"rows":[{"partition":3,"offset":7,"timestamp_ms":1}]}""",
            File.ReadAllText(place.File($"erasures/{User}.json")));
    }

    [Theory]
    [InlineData("erasures/salt", null, "erasures/salt is missing")]
    [InlineData(null, "{", "is damaged")]
    [InlineData(null, "null", "is damaged")]
    public void Records_that_are_damaged_are_named(string? delete, string? content, string sentence)
    {
        place.Open().Erase(Ann, 10);
        if (delete is not null) File.Delete(place.File(delete));
        if (content is not null) File.WriteAllText(Directory.GetFiles(place.File("erasures"), "*.json").Single(), content);
        Assert.Contains(sentence, Assert.Throws<InvalidDataException>(() => place.Open().Erasures()).Message, StringComparison.Ordinal);
    }
}
