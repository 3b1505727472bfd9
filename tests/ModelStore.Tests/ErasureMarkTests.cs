using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore.Tests;

public sealed class ErasureMarkTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("model-store-").FullName;
    public void Dispose() => Directory.Delete(folder, recursive: true);

    private FolderModelStore Open() => new(folder, TimeProvider.System);

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
