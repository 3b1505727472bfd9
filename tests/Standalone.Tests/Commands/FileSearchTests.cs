using System.Text;
using BeeFormer.Streaming.Standalone.Erasure;
using BeeFormer.Streaming.Standalone.Tests.DataSets;

namespace BeeFormer.Streaming.Standalone.Tests.Commands;

public sealed class FileSearchTests : IDisposable
{
    private const string Id = "user-17";

    private readonly Files files = new();

    public void Dispose() => files.Dispose();

    [Fact]
    public void An_id_is_found_at_any_place_of_a_large_file_also_across_blocks()
    {
        const int Block = (1 << 20) + 8;
        byte[] content = new byte[3 * Block];
        foreach (int at in new[] { 0, 1, Block - 10, Block - 8, Block - 7, Block - 3, Block - 1, Block, 2 * Block - 12, 2 * Block - 5, 2 * Block, content.Length - Id.Length })
        {
            Array.Clear(content);
            Encoding.UTF8.GetBytes(Id).CopyTo(content, at);
            File.WriteAllBytes(Path.Combine(files.Folder, "large"), content);
            Assert.Equal(["large"], Find().Holding);
        }
    }

    [Fact]
    public void What_is_a_part_of_a_longer_id_is_told_apart()
    {
        File.WriteAllText(Path.Combine(files.Folder, "longer"), "user-170 auser-17");
        File.WriteAllText(Path.Combine(files.Folder, "both"), "user-170 user-17");
        File.WriteAllText(Path.Combine(files.Folder, "none"), "user-1 7");
        File.WriteAllText(Path.Combine(files.Folder, "empty"), "");
        Directory.CreateDirectory(Path.Combine(files.Folder, "of user-17"));
        File.WriteAllText(Path.Combine(files.Folder, "of user-17", "a"), "nothing");
        FileSearch.Result result = Find();
        Assert.Equal(["both", Path.Combine("of user-17", "a") + " (its name)"], result.Holding);
        Assert.Equal(["longer"], result.Perhaps);
        Assert.Equal(4, result.Files);
    }

    private FileSearch.Result Find() => FileSearch.Find(files.Folder, Id, TestContext.Current.CancellationToken);
}
