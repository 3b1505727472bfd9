using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore.Tests;

public sealed class RetentionTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("model-store-").FullName;
    public void Dispose() => Directory.Delete(folder, recursive: true);

    private FolderModelStore Open() => new(folder, TimeProvider.System);

    [Fact]
    public void Numbers_of_removed_versions_are_not_used_again()
    {
        FolderModelStore store = Open();
        AModel.Publish(store, 'a');
        ModelVersion last = AModel.Publish(store, 'b');
        store.Retain(1);
        Directory.Delete(Path.Combine(folder, "models", last.Value), recursive: true); // by hand
        File.Copy(Path.Combine(folder, "retired", "000001-aaaaaaaa.json"), Path.Combine(folder, "retired", "000007-aaaaaaaa.json"));
        Assert.Equal("000008-cccccccc", AModel.Publish(store, 'c').Value);
    }

}
