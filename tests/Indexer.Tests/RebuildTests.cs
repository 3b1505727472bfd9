using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.InMemory;

namespace BeeFormer.Streaming.Indexer.Tests;

public sealed class RebuildTests
{
    [Fact]
    public async Task New_model_gets_a_collection_of_its_own_and_then_serves()
    {
        await using var indexer = new IndexerUnderTest();
        var (first, second) = await ServeThenPublishAsync(indexer, items: 10);
        Assert.Equal(10, (await indexer.ItemsAsync(second)).Count);
        Assert.Equal(10, (await indexer.ItemsAsync(first)).Count);
        await IndexerUnderTest.UntilAsync(() => Task.FromResult(indexer.Messages.OfType<IndexSwitched>().Count() == 2));
        Assert.Equal(2, indexer.Messages.OfType<IndexSwitched>().Last().Generation);
        var progress = indexer.Messages.OfType<ReindexProgressed>().Where(message => message.Version == second.Version).ToList();
        Assert.Equal([0, 4, 8, 10], progress.Select(message => message.Done));
    }

    [Fact]
    public async Task Events_during_a_build_reach_both_collections()
    {
        await using var indexer = new IndexerUnderTest();
        var first = indexer.Models.GoLive('a');
        await indexer.StartAsync();
        for (int n = 0; n < 20; n++) await indexer.PutAsync($"i{n:D2}", $"item {n}");
        await indexer.DrainedAsync();

        var reached = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        int batches = 0;
        indexer.Index.OnUpsert = async (collection, _) =>
        {
            if (collection != "items-bbbbbbbb" || ++batches != 2) return;
            reached.SetResult();
            await goOn.Task;
        };
        var second = indexer.Models.GoLive('b');
        indexer.Published.Wake();
        await reached.Task;
        await indexer.PutAsync("i00", "changed while built");
        await indexer.PutAsync("new", "arrived while built");
        await indexer.DeleteAsync("i19");
        await indexer.DrainedAsync();
        Assert.Equal("items-aaaaaaaa", (await indexer.Index.ResolveAliasAsync("items", IndexerUnderTest.Token))!.Collection);
        goOn.SetResult();
        await indexer.ServesAsync(second);

        foreach (var model in new[] { first, second })
        {
            var items = await indexer.ItemsAsync(model);
            Assert.Equal(20, items.Count);
            Assert.Equal("changed while built", items["i00"].Title);
            Assert.Contains("new", items.Keys);
            Assert.DoesNotContain("i19", items.Keys);
        }
    }

    [Fact]
    public async Task Build_takes_what_has_landed_from_the_store_and_the_rest_from_the_log()
    {
        await using var indexer = new IndexerUnderTest();
        var (_, second) = await ServeThenPublishAsync(indexer, items: 6, landed: 3);
        Assert.Equal(6, (await indexer.ItemsAsync(second)).Count);
    }

    [Fact]
    public async Task Refused_canary_leaves_the_old_pair_serving_until_a_build_passes()
    {
        await using var indexer = new IndexerUnderTest();
        var first = indexer.Models.GoLive('a');
        await indexer.StartAsync();
        await indexer.PutAsync("i1", "red lamp");
        await indexer.DrainedAsync();

        int calls = 0;
        bool broken = true;
        indexer.Distort = (fingerprint, vector) => broken && fingerprint.Value[0] == 'b' && ++calls % 2 == 0 ? [.. vector.Select(value => -value)] : vector;
        var second = indexer.Models.GoLive('b');
        indexer.Published.Wake();
        await IndexerUnderTest.UntilAsync(() => Task.FromResult(calls >= 2));
        Assert.Equal($"items-{first.Model.Fingerprint.Short}", (await indexer.Index.ResolveAliasAsync("items", IndexerUnderTest.Token))!.Collection);

        broken = false;
        await indexer.ServesAsync(second);
    }

    [Fact]
    public async Task Rollback_reuses_the_collection_and_encodes_only_what_changed()
    {
        await using var indexer = new IndexerUnderTest();
        await ServeThenPublishAsync(indexer, items: 10);
        await indexer.PutAsync("i3", "changed since");
        await indexer.DeleteAsync("i4");
        await indexer.DrainedAsync();
        indexer.Encoded.Clear();

        var first = indexer.Models.GoLive('a');
        indexer.Published.Wake();
        await indexer.ServesAsync(first);
        var items = await indexer.ItemsAsync(first);
        Assert.Equal("changed since", items["i3"].Title);
        Assert.DoesNotContain("i4", items.Keys);
        // The changed item, and the canaries.
        Assert.Equal(1, indexer.Encoded.Count(entry => entry.Title == "changed since") - indexer.Encoded.Skip(1).Count(entry => entry.Title == "changed since"));
        Assert.True(indexer.Encoded.Count <= 1 + 8);
    }

    [Fact]
    public async Task Build_cut_short_by_a_crash_goes_on_where_it_was()
    {
        await using var indexer = new IndexerUnderTest();
        var first = indexer.Models.GoLive('a');
        await indexer.StartAsync();
        for (int n = 0; n < 12; n++) await indexer.PutAsync($"i{n:D2}", $"item {n}");
        await indexer.DrainedAsync();

        var reached = new TaskCompletionSource();
        int batches = 0;
        indexer.Index.OnUpsert = (collection, _) =>
        {
            if (collection == "items-bbbbbbbb" && ++batches > 1)
            {
                reached.TrySetResult();
                throw new IOException("the process is about to die");
            }
            return Task.CompletedTask;
        };
        var second = indexer.Models.GoLive('b');
        indexer.Published.Wake();
        await reached.Task;
        await indexer.StopAsync();
        Assert.Equal(4, (await indexer.ItemsAsync(second)).Count);

        indexer.Index.OnUpsert = (_, _) => Task.CompletedTask;
        indexer.Messages.Clear();
        await indexer.StartAsync();
        await indexer.ServesAsync(second);
        Assert.Equal(12, (await indexer.ItemsAsync(second)).Count);
        Assert.Equal(4, indexer.Messages.OfType<ReindexProgressed>().First().Done);
        Assert.Equal(12, (await indexer.ItemsAsync(first)).Count);
    }

    [Fact]
    public async Task Newer_model_supersedes_a_build_under_way()
    {
        await using var indexer = new IndexerUnderTest();
        indexer.Models.GoLive('a');
        await indexer.StartAsync();
        for (int n = 0; n < 12; n++) await indexer.PutAsync($"i{n:D2}", $"item {n}");
        await indexer.DrainedAsync();

        int batches = 0;
        indexer.Index.OnUpsert = (collection, _) =>
        {
            if (collection == "items-bbbbbbbb" && ++batches == 1) indexer.Models.GoLive('c');
            return Task.CompletedTask;
        };
        indexer.Models.GoLive('b');
        indexer.Published.Wake();
        await IndexerUnderTest.UntilAsync(async () => (await indexer.Index.ResolveAliasAsync("items", IndexerUnderTest.Token))!.Collection == "items-cccccccc");
        Assert.Equal(1, batches);
        Assert.DoesNotContain(indexer.Messages.OfType<IndexSwitched>(), message => message.Collection == "items-bbbbbbbb");
    }

    [Fact]
    public async Task Last_two_collections_are_kept()
    {
        await using var indexer = new IndexerUnderTest();
        await ServeThenPublishAsync(indexer, items: 3);
        var third = indexer.Models.GoLive('c');
        indexer.Published.Wake();
        await indexer.ServesAsync(third);
        await IndexerUnderTest.UntilAsync(async () => (await indexer.Index.ListAsync(IndexerUnderTest.Token)).Count == 2);
        Assert.Equal(["items-bbbbbbbb", "items-cccccccc"], (await indexer.Index.ListAsync(IndexerUnderTest.Token)).Select(collection => collection.Name).Order());
    }

    private static async Task<(ModelStore.ModelManifest First, ModelStore.ModelManifest Second)> ServeThenPublishAsync(IndexerUnderTest indexer, int items, int landed = 0)
    {
        var first = indexer.Models.GoLive('a');
        await indexer.StartAsync();
        await indexer.ServesAsync(first);
        for (int n = 0; n < items; n++)
        {
            long offset = await indexer.PutAsync($"i{n}", $"item {n}");
            if (n < landed)
                indexer.Windows.Land(offset, new ItemEvent(new ItemId($"i{n}"), $"item {n}", null, new Dictionary<string, System.Text.Json.JsonElement>(), null, true, 0), new ItemId($"i{n}"));
        }
        await indexer.DrainedAsync();
        var second = indexer.Models.GoLive('b');
        indexer.Published.Wake();
        await indexer.ServesAsync(second);
        return (first, second);
    }
}
