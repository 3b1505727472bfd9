using BeeFormer.Streaming.Contracts;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Indexer.Tests;

public sealed class RepairTests
{
    private static readonly TimeSpan s_every = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task Acknowledged_and_lost_writes_come_back_at_the_next_look()
    {
        await using var indexer = Indexer();
        var model = await WithItemsAsync(indexer, 20);
        using var repaired = new Measured(indexer, "indexer.repaired");
        foreach (string lost in (string[])["i03", "i07", "i11"]) indexer.Index.Forget("items-aaaaaaaa", new ItemId(lost));

        await LookAsync(indexer);
        await indexer.ComesAsync(async () => (await indexer.ItemsAsync(model)).Count == 20);
        await indexer.AssertIsCatalogueAsync(model);
        await indexer.ComesAsync(() => Task.FromResult(repaired.Sum == 3));
        Assert.Contains(indexer.Logged, line => line is (LogLevel.Warning, { } text) && text.Contains("lacked 3 items", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Collection_of_an_old_backup_is_brought_up_to_date_at_start()
    {
        await using var indexer = Indexer();
        var model = await WithItemsAsync(indexer, 12);
        var old = await indexer.ItemsAsync(model);
        await indexer.PutAsync("i02", "changed since");
        await indexer.DeleteAsync("i05");
        await indexer.PutAsync("new", "came since");
        await indexer.DrainedAsync();
        await indexer.StopAsync();

        foreach (var item in old.Values) indexer.Index.Forget("items-aaaaaaaa", item.Id, before: item);
        indexer.Index.Forget("items-aaaaaaaa", new ItemId("new"));
        indexer.Encoded.Clear();
        await indexer.StartAsync();
        await indexer.ComesAsync(async () => (await indexer.ItemsAsync(model)).ContainsKey("new"));
        await indexer.ComesAsync(async () => !(await indexer.ItemsAsync(model)).ContainsKey("i05"));
        await indexer.AssertIsCatalogueAsync(model);
        Assert.Equal(["came since", "changed since"], indexer.Encoded.Select(text => text.Title).Order());
    }

    [Fact]
    public async Task Lost_newest_revision_is_found_though_the_count_agrees()
    {
        await using var indexer = Indexer();
        var model = await WithItemsAsync(indexer, 5);
        var old = (await indexer.ItemsAsync(model))["i02"];
        await indexer.PutAsync("i02", "changed since");
        await indexer.DrainedAsync();
        indexer.Index.Forget("items-aaaaaaaa", old.Id, before: old);

        for (int look = 0; look < 6; look++) await LookAsync(indexer);
        await indexer.ComesAsync(async () => (await indexer.ItemsAsync(model))["i02"].Title == "changed since");
        await indexer.AssertIsCatalogueAsync(model);
    }

    [Fact]
    public async Task Item_of_another_log_is_removed_and_can_come_later()
    {
        await using var indexer = Indexer();
        var model = await WithItemsAsync(indexer, 5);
        var strange = (await indexer.ItemsAsync(model))["i01"] with { Id = new ItemId("strange") };
        indexer.Index.Forget("items-aaaaaaaa", strange.Id, before: strange);
        await LookAsync(indexer);
        await indexer.ComesAsync(async () => !(await indexer.ItemsAsync(model)).ContainsKey("strange"));
        await indexer.PutAsync("strange", "ours now");
        await indexer.DrainedAsync();
        await indexer.AssertIsCatalogueAsync(model);
    }

    [Fact]
    public async Task Where_nothing_is_lost_nothing_is_written_however_events_come()
    {
        await using var indexer = Indexer();
        indexer.Options.ReconcileEvery = TimeSpan.FromMilliseconds(10); // of fake time: a look at nearly every turn
        var model = await WithItemsAsync(indexer, 10);
        using var repaired = new Measured(indexer, "indexer.repaired");
        var random = new Random(7);
        for (int n = 0; n < 300; n++)
        {
            string id = $"i{random.Next(30):D2}";
            if (random.Next(3) == 0) await indexer.DeleteAsync(id);
            else await indexer.PutAsync(id, $"title {n}");
            ((FakeTimeProvider)indexer.Time).Advance(TimeSpan.FromMilliseconds(20));
            if (n % 10 == 0) await indexer.DrainedAsync();
        }
        await indexer.DrainedAsync();
        await LookAsync(indexer);
        await indexer.AssertIsCatalogueAsync(model);
        Assert.Equal(0, repaired.Sum);
        Assert.DoesNotContain(indexer.Logged, line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task Item_without_a_usable_vector_is_no_loss()
    {
        await using var indexer = Indexer();
        indexer.Vanishes = title => title == "item 3";
        await WithItemsAsync(indexer, 6);
        using var repaired = new Measured(indexer, "indexer.repaired");
        for (int look = 0; look < 8; look++) await LookAsync(indexer);
        Assert.Equal(0, repaired.Sum);
        Assert.Equal(1, indexer.Encoded.Count(text => text.Title == "item 3"));
    }

    [Fact]
    public async Task Lost_alias_comes_back()
    {
        await using var indexer = Indexer();
        var model = await WithItemsAsync(indexer, 3);
        indexer.Index.ForgetAlias("items");
        await LookAsync(indexer);
        await indexer.ServesAsync(model);
    }

    [Fact]
    public async Task Lost_collection_is_built_again()
    {
        await using var indexer = Indexer();
        var model = await WithItemsAsync(indexer, 9);
        // The Indexer may be looking, and puts the alias back.
        do indexer.Index.ForgetAlias("items");
        while (!await indexer.Index.DropAsync("items-aaaaaaaa", IndexerUnderTest.Token));
        await indexer.PutAsync("new", "came meanwhile");
        await indexer.ComesAsync(async () => await indexer.Index.ResolveAliasAsync("items", IndexerUnderTest.Token) is not null);
        await indexer.ComesAsync(async () => (await indexer.ItemsAsync(model)).Count == 10);
        await indexer.AssertIsCatalogueAsync(model);
    }

    private static IndexerUnderTest Indexer()
    {
        var indexer = new IndexerUnderTest { Time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000)) };
        indexer.Options.ReconcileEvery = s_every;
        return indexer;
    }

    /// <summary>Serves so many items, and has looked once.</summary>
    private static async Task<ModelStore.ModelManifest> WithItemsAsync(IndexerUnderTest indexer, int items)
    {
        var model = indexer.Models.GoLive('a');
        for (int n = 0; n < items; n++) await indexer.PutAsync($"i{n:D2}", $"item {n}");
        await indexer.StartAsync();
        await indexer.DrainedAsync();
        await LookAsync(indexer);
        return model;
    }

    /// <summary>Time passes until a look that begins from now on is over: looks ask for the alias, once each.</summary>
    private static async Task LookAsync(IndexerUnderTest indexer)
    {
        int looks = 0, turns = 0;
        indexer.Index.OnCall = call =>
        {
            if (call == nameof(VectorIndex.IVectorIndex.ResolveAliasAsync)) Interlocked.Increment(ref looks);
            // The next turn of the loop: the look before it is over.
            if (call == nameof(VectorIndex.IVectorIndex.FindAsync) && Volatile.Read(ref looks) > 0) Interlocked.Increment(ref turns);
        };
        ((FakeTimeProvider)indexer.Time).Advance(indexer.Options.ReconcileEvery);
        await indexer.ComesAsync(() => Task.FromResult(Volatile.Read(ref turns) > 0));
        indexer.Index.OnCall = _ => { };
    }
}
