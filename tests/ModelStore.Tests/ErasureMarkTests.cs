using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore.Tests;

public sealed class ErasureMarkTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("model-store-").FullName;
    public void Dispose() => Directory.Delete(folder, recursive: true);

    private FolderModelStore Open() => new(folder, TimeProvider.System);

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
        FolderModelStore store = Open();
        ModelVersion gone = AModel.Publish(store, 'b');
        AModel.Publish(store, 'c');
        Assert.Equal([gone], store.Retain(1));
        store.MarkErasures(gone, [new ErasureMark(DateTimeOffset.UnixEpoch, 1, null)]);
        Assert.Empty(store.Erasures(gone));
        Assert.Null(store.Find(gone));
    }

    [Fact]
    public void Damaged_marks_hide_no_model()
    {
        FolderModelStore store = Open();
        ModelVersion version = AModel.Publish(store, 'b');
        store.MarkErasures(version, [new ErasureMark(DateTimeOffset.UnixEpoch, 1, null)]);
        File.WriteAllText(Path.Combine(folder, "models", version.Value, "erasures.json"), "{\"torn\": ");
        Assert.Empty(store.Erasures(version));
        Assert.Equal(version, Assert.Single(store.List()).Version);
    }
}
