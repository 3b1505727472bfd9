using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.InMemory;

namespace BeeFormer.Streaming.Indexer.Tests;

public sealed class IncrementalIndexingTests
{
    [Fact]
    public async Task First_start_serves_an_empty_collection_of_the_live_model()
    {
        await using var indexer = new IndexerUnderTest();
        var model = indexer.Models.GoLive('a');
        await indexer.StartAsync();
        await indexer.ServesAsync(model);
        Assert.Empty(await indexer.ItemsAsync(model));
        await IndexerUnderTest.UntilAsync(() => Task.FromResult(indexer.Messages.OfType<IndexSwitched>().Any()));
        Assert.Equal(new IndexSwitched(model.Version, model.Model.Fingerprint, "items-aaaaaaaa", 1), indexer.Messages.OfType<IndexSwitched>().Single());
    }

    [Fact]
    public async Task Item_events_become_vectors_with_the_offset_as_revision()
    {
        await using var indexer = new IndexerUnderTest();
        var model = indexer.Models.GoLive('a');
        await indexer.StartAsync();
        await indexer.PutAsync("i1", "red lamp");
        long offset = await indexer.PutAsync("i2", "blue chair");
        await indexer.DrainedAsync();

        var items = await indexer.ItemsAsync(model);
        Assert.Equal(["i1", "i2"], items.Keys.Order());
        Assert.Equal(offset, items["i2"].Revision);
        Assert.Equal(FakeModel.Embed(model.Model.Fingerprint, "blue chair"), items["i2"].Vector, (left, right) => Math.Abs(left - right) < 1e-6);
    }

    [Fact]
    public async Task Newest_description_wins_deleted_items_go_and_unavailable_ones_stay_hidden()
    {
        await using var indexer = new IndexerUnderTest();
        var model = indexer.Models.GoLive('a');
        await indexer.PutAsync("i1", "old title");
        await indexer.PutAsync("i1", "new title");
        await indexer.PutAsync("i2", "gone soon");
        await indexer.DeleteAsync("i2");
        await indexer.PutAsync("i3", "out of stock", available: false);
        await indexer.StartAsync();
        await indexer.DrainedAsync();

        var items = await indexer.ItemsAsync(model);
        Assert.Equal(["i1", "i3"], items.Keys.Order());
        Assert.Equal("new title", items["i1"].Title);
        Assert.False(items["i3"].Available);
    }

    [Fact]
    public async Task Events_of_all_partitions_are_indexed_in_one_turn()
    {
        await using var indexer = new IndexerUnderTest { Log = new MemoryEventLog { Partitions = 4 }, Options = { MaxBatch = 100 } };
        var model = indexer.Models.GoLive('a');
        await indexer.StartAsync();
        await indexer.ServesAsync(model);
        var upserts = new List<int>();
        var (first, rest) = (new TaskCompletionSource(), new TaskCompletionSource());
        indexer.Index.OnUpsert = async (_, items) =>
        {
            upserts.Add(items.Count);
            first.TrySetResult();
            await rest.Task;
        };
        await indexer.PutAsync("i0", "the first");
        await first.Task;
        for (int n = 1; n <= 40; n++) await indexer.PutAsync($"i{n}", $"title {n}"); // they wait for the first one's turn to end
        rest.SetResult();
        await IndexerUnderTest.UntilAsync(async () =>
        {
            for (int partition = 0; partition < 4; partition++)
                if (await indexer.Log.CommittedAsync(Topics.Items, ReaderGroups.Indexer, partition, IndexerUnderTest.Token) < await indexer.Log.EndOffsetAsync(Topics.Items, partition, IndexerUnderTest.Token)) return false;
            return true;
        });
        Assert.Equal([1, 40], upserts);
        Assert.Equal(41, (await indexer.ItemsAsync(model)).Count);
    }

    [Fact]
    public async Task Queued_versions_of_one_item_are_encoded_once()
    {
        await using var indexer = new IndexerUnderTest();
        indexer.Models.GoLive('a');
        for (int n = 0; n < 8; n++) await indexer.PutAsync("i1", $"title {n}");
        await indexer.StartAsync();
        await indexer.DrainedAsync();
        Assert.Equal([("aaaaaaaa", "title 7")], indexer.Encoded);
    }

    [Fact]
    public async Task Unreadable_event_stops_nobody()
    {
        await using var indexer = new IndexerUnderTest();
        var model = indexer.Models.GoLive('a');
        await indexer.Log.AppendAsync(Topics.Items, [new LogRecord("i0"u8.ToArray(), "{not json"u8.ToArray())], IndexerUnderTest.Token);
        await indexer.PutAsync("i1", "red lamp");
        await indexer.StartAsync();
        await indexer.DrainedAsync();
        Assert.Equal(["i1"], (await indexer.ItemsAsync(model)).Keys);
    }

    [Fact]
    public async Task Failure_between_upsert_and_commit_repeats_the_batch_and_changes_nothing()
    {
        await using var indexer = new IndexerUnderTest();
        var model = indexer.Models.GoLive('a');
        await indexer.StartAsync();
        await indexer.PutAsync("i1", "red lamp");
        await indexer.PutAsync("i2", "blue chair");
        await indexer.DrainedAsync();
        await indexer.StopAsync();
        var before = await indexer.ItemsAsync(model);

        // As if the process had died before the commit.
        await indexer.Log.Subscribe(Topics.Items, ReaderGroups.Indexer, _ => 0).CommitAsync(0, 0, IndexerUnderTest.Token);
        await indexer.StartAsync();
        await indexer.DrainedAsync();
        var after = await indexer.ItemsAsync(model);
        Assert.Equal(before.Keys.Order(), after.Keys.Order());
        Assert.All(after, item => Assert.Equal(before[item.Key].Revision, item.Value.Revision));
    }

    [Fact]
    public async Task Index_that_fails_for_a_while_loses_no_event()
    {
        await using var indexer = new IndexerUnderTest();
        var model = indexer.Models.GoLive('a');
        await indexer.StartAsync();
        await indexer.ServesAsync(model);
        int attempts = 0;
        indexer.Index.OnUpsert = (_, _) => ++attempts <= 2 ? throw new IOException("disk full") : Task.CompletedTask;
        await indexer.PutAsync("i1", "red lamp");
        await indexer.DrainedAsync();
        Assert.Equal(["i1"], (await indexer.ItemsAsync(model)).Keys);
        Assert.Equal(3, attempts);
    }

    [Fact]
    public async Task Item_changed_a_thousand_times_is_encoded_a_few_times()
    {
        await using var indexer = new IndexerUnderTest();
        indexer.Options.MaxBatch = new IndexerOptions().MaxBatch;
        var model = indexer.Models.GoLive('a');
        await indexer.StartAsync();
        await indexer.ServesAsync(model);
        for (int n = 0; n < 1000; n++) await indexer.PutAsync("i1", $"title {n}");
        await indexer.DrainedAsync();
        await indexer.AssertIsCatalogueAsync(model);

        // All queued while something else is encoded: one encoding a batch.
        using var busy = new ManualResetEventSlim();
        var began = new TaskCompletionSource();
        indexer.OnEmbed = _ => { began.TrySetResult(); busy.Wait(); };
        await indexer.PutAsync("other", "busy");
        await began.Task;
        indexer.Encoded.Clear();
        for (int n = 0; n < 1000; n++) await indexer.PutAsync("i1", $"again {n}");
        busy.Set();
        await indexer.DrainedAsync();
        await indexer.AssertIsCatalogueAsync(model);
        Assert.InRange(indexer.Encoded.Count(text => text.Title.StartsWith("again", StringComparison.Ordinal)), 1, 4);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Item_without_a_usable_vector_goes_alone_and_takes_its_older_vector_along(bool refused)
    {
        await using var indexer = new IndexerUnderTest();
        if (refused) indexer.Refuses = title => title == "broken";
        else indexer.Vanishes = title => title == "broken";
        using var failed = new Measured(indexer, "indexer.items_failed");
        var model = indexer.Models.GoLive('a');
        foreach (string id in (string[])["i1", "i2", "i3"]) await indexer.PutAsync(id, "sound " + id);
        await indexer.StartAsync();
        await indexer.DrainedAsync();
        Assert.Equal(["i1", "i2", "i3"], (await indexer.ItemsAsync(model)).Keys.Order());
        await indexer.StopAsync();

        await indexer.PutAsync("i1", "newer");
        await indexer.PutAsync("i2", "broken");
        await indexer.PutAsync("i3", "newer too");
        await indexer.StartAsync();
        await indexer.DrainedAsync();
        var items = await indexer.ItemsAsync(model);
        Assert.Equal([("i1", "newer"), ("i3", "newer too")], items.Select(item => (item.Key, item.Value.Title)).Order());
        Assert.Contains(indexer.Logged, line => line.Line.Contains("Item i2", StringComparison.Ordinal));
        Assert.Equal(1, failed.Sum);

        await indexer.PutAsync("i2", "sound again");
        await indexer.DrainedAsync();
        await indexer.AssertIsCatalogueAsync(model);
    }

    [Fact]
    public async Task Freshness_is_measured_from_the_logs_time()
    {
        await using var indexer = new IndexerUnderTest { Time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_002_500)) };
        using var freshness = new Measured(indexer, "indexer.freshness");
        using var events = new Measured(indexer, "indexer.events");
        indexer.Models.GoLive('a');
        await indexer.PutAsync("i1", "red lamp");
        await indexer.StartAsync();
        await indexer.DrainedAsync();
        Assert.Equal(2.5, freshness.Sum);
        Assert.Equal(1, events.Sum);
    }
}
