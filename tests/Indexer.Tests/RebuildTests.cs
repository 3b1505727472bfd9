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
        // The changed item, and again at most the canaries; the other eight are as they were left.
        Assert.Equal("changed since", indexer.Encoded.First().Title);
        Assert.True(indexer.Encoded.Count <= 1 + 8, $"{indexer.Encoded.Count} encoded");
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

    [Fact]
    public async Task Build_begins_with_all_that_has_landed_though_the_Indexer_has_not_come_so_far()
    {
        await using var indexer = new IndexerUnderTest();
        for (int n = 0; n < 6; n++)
        {
            long offset = await indexer.PutAsync($"i{n}", $"item {n}");
            indexer.Windows.Land(offset, new ItemEvent(new ItemId($"i{n}"), $"item {n}", null, new Dictionary<string, System.Text.Json.JsonElement>(), null, true, 0), new ItemId($"i{n}"));
        }
        await indexer.DeleteAsync("i2");
        indexer.Windows.Land(6, null, new ItemId("i2"));
        var model = indexer.Models.GoLive('a');
        int atSwitch = -1;
        indexer.Index.OnCall = call => { if (call == nameof(VectorIndex.IVectorIndex.PointAliasAsync)) atSwitch = indexer.Encoded.Count; };
        await indexer.StartAsync();
        await indexer.ServesAsync(model);
        Assert.True(atSwitch >= 5, $"{atSwitch} items encoded before the switch");
        await indexer.DrainedAsync();
        await indexer.AssertIsCatalogueAsync(model);
    }

    [Fact]
    public async Task Collection_goes_only_after_its_last_reader_has_left()
    {
        await using var indexer = new IndexerUnderTest();
        var (first, _) = await ServeThenPublishAsync(indexer, items: 3);
        var reader = await indexer.Index.HoldAsync("items-aaaaaaaa", IndexerUnderTest.Token);
        int drops = 0;
        indexer.Index.OnCall = call => { if (call == nameof(VectorIndex.IVectorIndex.DropAsync)) Interlocked.Increment(ref drops); };
        var third = indexer.Models.GoLive('c');
        indexer.Published.Wake();
        await indexer.ServesAsync(third);
        await IndexerUnderTest.UntilAsync(() => Task.FromResult(Volatile.Read(ref drops) >= 3)); // at the switch and at looks after it
        Assert.Equal(3, (await indexer.ItemsAsync(first)).Count);
        await reader.DisposeAsync();
        await IndexerUnderTest.UntilAsync(async () => (await indexer.Index.ListAsync(IndexerUnderTest.Token)).Count == 2);
        Assert.Equal(["items-bbbbbbbb", "items-cccccccc"], (await indexer.Index.ListAsync(IndexerUnderTest.Token)).Select(collection => collection.Name).Order());
    }

    [Fact]
    public async Task Restarted_Indexer_keeps_the_collection_to_go_back_to_and_drops_what_another_left()
    {
        await using var indexer = new IndexerUnderTest();
        await ServeThenPublishAsync(indexer, items: 3);
        await indexer.StopAsync();
        await indexer.Index.CreateAsync(new VectorIndex.CollectionInfo("items-dddddddd", 4, new Fingerprint(new string('d', 64)), new ModelVersion("000009-dddddddd")), IndexerUnderTest.Token);
        await indexer.StartAsync();
        await IndexerUnderTest.UntilAsync(async () => (await indexer.Index.ListAsync(IndexerUnderTest.Token)).Count == 2);
        Assert.Equal(["items-aaaaaaaa", "items-bbbbbbbb"], (await indexer.Index.ListAsync(IndexerUnderTest.Token)).Select(collection => collection.Name).Order());
    }

    [Fact]
    public async Task Model_of_another_dimension_gets_a_collection_of_that_dimension()
    {
        await using var indexer = new IndexerUnderTest { Dimension = fingerprint => fingerprint.Value[0] == 'b' ? 2 * FakeModel.Dimension : FakeModel.Dimension };
        var (first, second) = await ServeThenPublishAsync(indexer, items: 10);
        await indexer.PutAsync("late", "came later");
        await indexer.DrainedAsync();
        Assert.All((await indexer.ItemsAsync(second)).Values, item => Assert.Equal(2 * FakeModel.Dimension, item.Vector.Length));
        Assert.Equal(11, (await indexer.ItemsAsync(second)).Count);
        Assert.All((await indexer.ItemsAsync(first)).Values, item => Assert.Equal(FakeModel.Dimension, item.Vector.Length));
    }

    [Fact]
    public async Task Items_that_the_new_model_cannot_embed_are_left_out_and_stop_no_switch()
    {
        await using var indexer = new IndexerUnderTest();
        indexer.OnEmbed = fingerprint => indexer.Refuses = title => fingerprint.Value[0] == 'b' && title is "item 2" or "item 7";
        var (_, second) = await ServeThenPublishAsync(indexer, items: 10);
        Assert.Equal(8, (await indexer.ItemsAsync(second)).Count);
    }

    [Fact]
    public async Task Model_that_embeds_hardly_anything_does_not_go_into_service()
    {
        await using var indexer = new IndexerUnderTest();
        var first = indexer.Models.GoLive('a');
        await indexer.StartAsync();
        for (int n = 0; n < 10; n++) await indexer.PutAsync($"i{n}", $"item {n}");
        await indexer.DrainedAsync();
        indexer.Vanishes = _ => true;
        indexer.Models.GoLive('b');
        indexer.Published.Wake();
        await IndexerUnderTest.UntilAsync(() => Task.FromResult(indexer.Logged.Any(line => line.Line.Contains("could not be built", StringComparison.Ordinal))));
        Assert.Equal("items-aaaaaaaa", (await indexer.Index.ResolveAliasAsync("items", IndexerUnderTest.Token))!.Collection);
        Assert.Equal(10, (await indexer.ItemsAsync(first)).Count);
    }

    [Fact]
    public async Task A_model_store_that_is_away_for_a_while_ends_nothing()
    {
        await using var indexer = new IndexerUnderTest();
        var (_, second) = await ServeThenPublishAsync(indexer, items: 3);
        indexer.Models.Away = true;
        indexer.Published.Wake();
        await IndexerUnderTest.UntilAsync(() => Task.FromResult(indexer.Logged.Any(line => line.Line.Contains("could not be built", StringComparison.Ordinal))));
        await indexer.PutAsync("late", "came meanwhile");
        await indexer.DrainedAsync();
        Assert.Equal(4, (await indexer.ItemsAsync(second)).Count);
        indexer.Models.Away = false;
        indexer.Models.GoLive('c');
        indexer.Published.Wake();
        await IndexerUnderTest.UntilAsync(async () => (await indexer.Index.ResolveAliasAsync("items", IndexerUnderTest.Token))!.Collection == "items-cccccccc");
    }

    [Fact]
    public async Task Model_that_goes_live_between_the_last_item_and_the_switch_takes_its_place()
    {
        await using var indexer = new IndexerUnderTest();
        indexer.Models.GoLive('a');
        await indexer.StartAsync();
        for (int n = 0; n < 6; n++) await indexer.PutAsync($"i{n}", $"item {n}");
        await indexer.DrainedAsync();
        bool settling = false;
        indexer.Index.OnCall = call =>
        {
            if (call != nameof(VectorIndex.IVectorIndex.SettleAsync) || settling) return;
            settling = true;
            indexer.Models.GoLive('c');
        };
        indexer.Models.GoLive('b');
        indexer.Published.Wake();
        await IndexerUnderTest.UntilAsync(async () => (await indexer.Index.ResolveAliasAsync("items", IndexerUnderTest.Token))!.Collection == "items-cccccccc");
        Assert.DoesNotContain(indexer.Messages.OfType<IndexSwitched>(), message => message.Collection == "items-bbbbbbbb");
    }

    [Fact]
    public async Task Progress_tells_the_rate_and_the_time_that_remains()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000));
        await using var indexer = new IndexerUnderTest { Time = time };
        indexer.OnEmbed = fingerprint => { if (fingerprint.Value[0] == 'b') time.Advance(TimeSpan.FromSeconds(0.05)); };
        var first = indexer.Models.GoLive('a');
        await indexer.StartAsync();
        for (int n = 0; n < 10; n++) await indexer.PutAsync($"i{n}", $"item {n}");
        await indexer.DrainedAsync();
        var second = indexer.Models.GoLive('b');
        indexer.Published.Wake();
        await indexer.ComesAsync(async () => (await indexer.Index.ResolveAliasAsync("items", IndexerUnderTest.Token))?.Collection == "items-bbbbbbbb");
        var progress = indexer.Messages.OfType<ReindexProgressed>().Where(message => message.Version == second.Version).ToList();
        Assert.Equal((null, null), (progress[0].ItemsPerSecond, progress[0].EtaSeconds));
        Assert.All(progress.Skip(1), message => Assert.Equal(message.Total - message.Done, message.EtaSeconds!.Value * message.ItemsPerSecond!.Value, 1e-6));
        Assert.True(progress[1].ItemsPerSecond > 0 && first.Version != second.Version);
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
