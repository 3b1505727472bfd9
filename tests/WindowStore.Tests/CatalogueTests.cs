using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore.Tests;

public abstract class CatalogueTests(StoragePlace place) : IDisposable
{
    public void Dispose() => place.Dispose();

    public sealed class InAFolder() : CatalogueTests(new FolderPlace());
    public sealed class OnS3(S3Server server) : CatalogueTests(new S3Place(server));

    [Fact]
    public void The_newest_description_of_each_item_counts_and_deleted_items_are_gone()
    {
        var store = place.Open();
        Assert.Empty(store.ReadCatalogue());
        Assert.True(store.TryWriteItems(0, 0, 3, [Rows.Described(0, "b", "old"), Rows.Described(1, "a", "A"), Rows.Described(2, "gone", "G"), new StoredItem(0, 3, new ItemId("gone"), null)]));
        Assert.True(store.TryWriteItems(0, 4, 4, [Rows.Described(4, "b", "new")]));
        Assert.True(store.TryWriteItems(1, 0, 0, [Rows.Described(0, "c", "C", partition: 1)]));
        Assert.Equal(["a A 0/1", "b new 0/4", "c C 1/0"], store.ReadCatalogue().Select(i => $"{i.Id} {i.Event!.Title} {i.Partition}/{i.Offset}"));
        Assert.Equal(3, store.Describe().CatalogueItems);
    }

    [Fact]
    public void The_catalogue_of_an_earlier_time_is_read_by_its_offsets()
    {
        var store = place.Open();
        Assert.Empty(store.NextOffsets(Contracts.Topics.Items));
        Assert.True(store.TryWriteItems(0, 0, 1, [Rows.Described(0, "a", "old"), Rows.Described(1, "b", "B")]));
        IReadOnlyDictionary<int, long> then = store.NextOffsets(Contracts.Topics.Items);
        Assert.Equal(2, then[0]);
        Assert.True(store.TryWriteItems(0, 2, 3, [Rows.Described(2, "a", "new"), new StoredItem(0, 3, new ItemId("b"), null)]));
        Assert.True(store.TryWriteItems(1, 0, 0, [Rows.Described(0, "c", "C", partition: 1)]));
        Assert.Equal(["a old", "b B"], store.ReadCatalogue(then).Select(i => $"{i.Id} {i.Event!.Title}"));
        Assert.Equal(["a new", "c C"], store.ReadCatalogue(store.NextOffsets(Contracts.Topics.Items)).Select(i => $"{i.Id} {i.Event!.Title}"));
        Assert.Empty(store.ReadCatalogue(new Dictionary<int, long>()));
    }

    [Fact]
    public void An_item_that_comes_back_after_its_deletion_is_in_the_catalogue()
    {
        var store = place.Open();
        Assert.True(store.TryWriteItems(0, 0, 1, [new StoredItem(0, 0, new ItemId("a"), null), Rows.Described(1, "a", "again")]));
        Assert.Equal("again", Assert.Single(store.ReadCatalogue()).Event!.Title);
    }
}
