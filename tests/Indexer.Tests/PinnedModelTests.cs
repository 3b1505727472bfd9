using BeeFormer.Streaming.ModelStore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Indexer.Tests;

/// <summary>Models that variants are served from, whatever is live: their collections are as fresh as the live one's, and an alias says so exactly as long as they are.</summary>
public sealed class PinnedModelTests
{
    private static CancellationToken Token => IndexerUnderTest.Token;

    private static string AliasOf(ModelManifest model) => $"items.{model.Version}";

    private static Task<bool> PointsAsync(IndexerUnderTest indexer, string alias, ModelManifest model) =>
        indexer.Index.ResolveAliasAsync(alias, Token).AsTask().ContinueWith(resolved => resolved.Result?.Collection == $"items-{model.Model.Fingerprint.Short}", Token, TaskContinuationOptions.None, TaskScheduler.Default);

    /// <summary>Models a and b of which b is live, a is pinned, and both have these items.</summary>
    private static async Task<(ModelManifest Pinned, ModelManifest Live)> TwoModelsAsync(IndexerUnderTest indexer, int items)
    {
        var pinned = indexer.Models.GoLive('a');
        var live = indexer.Models.GoLive('b');
        indexer.Pinned.Add(pinned.Version);
        await indexer.StartAsync();
        for (int n = 0; n < items; n++) await indexer.PutAsync($"i{n:D2}", $"item {n}");
        await indexer.ServesAsync(live);
        await indexer.ComesAsync(() => PointsAsync(indexer, AliasOf(pinned), pinned));
        await indexer.DrainedAsync();
        return (pinned, live);
    }

    [Fact]
    public async Task Events_reach_the_pinned_collection_as_the_live_one()
    {
        await using var indexer = new IndexerUnderTest();
        var (pinned, live) = await TwoModelsAsync(indexer, 12);
        await indexer.PutAsync("i03", "changed since");
        await indexer.DeleteAsync("i04");
        await indexer.PutAsync("i05", "hidden", available: false);
        await indexer.PutAsync("new", "came since");
        await indexer.DrainedAsync();
        await indexer.AssertIsCatalogueAsync(pinned);
        await indexer.AssertIsCatalogueAsync(live);
    }

    [Fact]
    public async Task Newer_models_come_and_go_and_the_pinned_collection_stays()
    {
        await using var indexer = new IndexerUnderTest();
        var (pinned, _) = await TwoModelsAsync(indexer, 6);
        foreach (char letter in "cde")
        {
            var next = indexer.Models.GoLive(letter);
            indexer.Published.Wake();
            await indexer.ServesAsync(next);
            await indexer.PutAsync($"with {letter}", $"came with {letter}");
        }
        await indexer.DrainedAsync();
        await IndexerUnderTest.UntilAsync(async () => await indexer.Index.FindAsync("items-bbbbbbbb", Token) is null && await indexer.Index.FindAsync("items-cccccccc", Token) is null);
        await indexer.AssertIsCatalogueAsync(pinned);
        Assert.True(await PointsAsync(indexer, AliasOf(pinned), pinned));
    }

    [Fact]
    public async Task Pinned_model_may_be_the_live_one_and_stays_when_that_moves_on()
    {
        await using var indexer = new IndexerUnderTest();
        var pinned = indexer.Models.GoLive('a');
        indexer.Pinned.Add(pinned.Version);
        await indexer.StartAsync();
        for (int n = 0; n < 5; n++) await indexer.PutAsync($"i{n}", $"item {n}");
        await indexer.ServesAsync(pinned);
        await indexer.ComesAsync(() => PointsAsync(indexer, AliasOf(pinned), pinned));
        foreach (char letter in "bc")
        {
            var next = indexer.Models.GoLive(letter);
            indexer.Published.Wake();
            await indexer.ServesAsync(next);
        }
        await indexer.PutAsync("i1", "changed since");
        await indexer.DeleteAsync("i2");
        await indexer.DrainedAsync();
        await indexer.AssertIsCatalogueAsync(pinned);

        indexer.Models.GoLive('a'); // and it may go live again
        indexer.Published.Wake();
        await indexer.ServesAsync(pinned);
        await indexer.DeleteAsync("i3");
        await indexer.DrainedAsync();
        await indexer.AssertIsCatalogueAsync(pinned);
    }

    [Fact]
    public async Task Restart_goes_on_with_both_and_encodes_nothing_again()
    {
        await using var indexer = new IndexerUnderTest();
        var (pinned, live) = await TwoModelsAsync(indexer, 10);
        await indexer.StopAsync();
        await indexer.PutAsync("i01", "changed meanwhile");
        await indexer.DeleteAsync("i02");
        indexer.Encoded.Clear();
        await indexer.StartAsync();
        await indexer.DrainedAsync();
        await indexer.AssertIsCatalogueAsync(pinned);
        await indexer.AssertIsCatalogueAsync(live);
        Assert.Equal(["aaaaaaaa", "bbbbbbbb"], indexer.Encoded.Where(text => text.Title == "changed meanwhile").Select(text => text.Model).Order());
        Assert.Equal(2, indexer.Encoded.Count);
    }

    /// <summary>Between the two runs no event reached the collection: its alias must not be there before it has caught up.</summary>
    [Fact]
    public async Task Pin_that_was_taken_back_loses_its_alias_before_events_flow_and_gets_it_again_when_it_has_caught_up()
    {
        await using var indexer = new IndexerUnderTest();
        var (pinned, live) = await TwoModelsAsync(indexer, 8);
        await using var reader = await indexer.Index.HoldAsync("items-aaaaaaaa", Token); // so that it is not dropped
        await indexer.StopAsync();
        indexer.Pinned.Clear();
        await indexer.DeleteAsync("i01");
        await indexer.StartAsync();
        await indexer.DrainedAsync();
        Assert.Equal(["items"], await indexer.Index.AliasesAsync(Token));
        Assert.Contains("i01", (await indexer.ItemsAsync(pinned)).Keys);
        await indexer.StopAsync();

        indexer.Pinned.Add(pinned.Version);
        var atThatMoment = new TaskCompletionSource<bool>();
        indexer.Around = new SteppedIndex(indexer.Index, step =>
        {
            if (step == SteppedIndex.Before(nameof(VectorIndex.IVectorIndex.PointAliasAsync))) atThatMoment.TrySetResult(indexer.ItemsAsync(pinned).GetAwaiter().GetResult().ContainsKey("i01"));
        });
        await indexer.StartAsync();
        Assert.False(await atThatMoment.Task.WaitAsync(TimeSpan.FromMinutes(1), Token));
        await IndexerUnderTest.UntilAsync(() => PointsAsync(indexer, AliasOf(pinned), pinned));
        await indexer.AssertIsCatalogueAsync(pinned);
        await indexer.AssertIsCatalogueAsync(live);
    }

    [Fact]
    public async Task Pin_that_was_taken_back_has_its_collection_dropped()
    {
        await using var indexer = new IndexerUnderTest();
        await TwoModelsAsync(indexer, 3);
        var next = indexer.Models.GoLive('c'); // so that the pinned one is not the one before the live one
        indexer.Published.Wake();
        await indexer.ServesAsync(next);
        await indexer.StopAsync();
        indexer.Pinned.Clear();
        await indexer.StartAsync();
        await IndexerUnderTest.UntilAsync(async () => await indexer.Index.FindAsync("items-aaaaaaaa", Token) is null);
    }

    [Fact]
    public async Task Build_that_a_crash_cut_short_goes_on_and_a_newer_live_model_comes_first()
    {
        await using var indexer = new IndexerUnderTest();
        var pinned = indexer.Models.GoLive('a');
        var live = indexer.Models.GoLive('b');
        await indexer.StartAsync();
        for (int n = 0; n < 12; n++) await indexer.PutAsync($"i{n:D2}", $"item {n}");
        await indexer.ServesAsync(live);
        await indexer.DrainedAsync();
        await indexer.StopAsync();

        indexer.Pinned.Add(pinned.Version);
        ModelManifest? newer = null;
        int batches = 0;
        indexer.Index.OnUpsert = (collection, _) =>
        {
            if (collection != "items-aaaaaaaa" || ++batches != 2) return Task.CompletedTask;
            newer = indexer.Models.GoLive('c'); // in the middle of the build
            return Task.CompletedTask;
        };
        await indexer.StartAsync();
        List<string> switches = [];
        await IndexerUnderTest.UntilAsync(() => Task.FromResult((switches = [.. indexer.Messages.OfType<Contracts.IndexSwitched>().Select(message => message.Collection)]).Contains("items-aaaaaaaa")));
        Assert.True(switches.IndexOf("items-cccccccc") is >= 0 and var first && first < switches.IndexOf("items-aaaaaaaa"), string.Join(", ", switches));
        Assert.True(indexer.Encoded.Where(text => text.Model == "aaaaaaaa").Select(text => text.Title).Distinct().Count() == 12);
        Assert.True(indexer.Encoded.Count(text => text.Model == "aaaaaaaa") <= 12 + 8 + 4, "More than the canaries and one slice was encoded twice.");
        await indexer.AssertIsCatalogueAsync(pinned);
        await indexer.AssertIsCatalogueAsync(newer!);
    }

    [Fact]
    public async Task What_the_index_lost_of_it_is_repaired()
    {
        await using var indexer = new IndexerUnderTest { Time = new FakeTimeProvider(DateTimeOffset.UtcNow) };
        indexer.Options.ReconcileEvery = TimeSpan.FromMinutes(10);
        var (pinned, live) = await TwoModelsAsync(indexer, 9);
        indexer.Index.Forget("items-aaaaaaaa", new Contracts.ItemId("i03"));
        indexer.Index.ForgetAlias(AliasOf(pinned));
        ((FakeTimeProvider)indexer.Time).Advance(TimeSpan.FromMinutes(10));
        await indexer.ComesAsync(async () => (await indexer.ItemsAsync(pinned)).Count == 9 && await PointsAsync(indexer, AliasOf(pinned), pinned));
        await indexer.AssertIsCatalogueAsync(pinned);
        await indexer.AssertIsCatalogueAsync(live);
    }

    [Fact]
    public async Task Pinned_model_that_cannot_be_built_is_tried_again_and_holds_up_nothing()
    {
        await using var indexer = new IndexerUnderTest();
        var broken = indexer.Models.GoLive('a');
        var live = indexer.Models.GoLive('b');
        indexer.Pinned.Add(broken.Version);
        int attempts = 0;
        bool failing = true;
        indexer.OnEmbed = fingerprint =>
        {
            if (!failing || fingerprint.Value[0] != 'a') return;
            Interlocked.Increment(ref attempts);
            throw new InvalidOperationException("broken on purpose");
        };
        await indexer.PutAsync("i", "red lamp");
        await indexer.StartAsync();
        await indexer.ServesAsync(live);
        await IndexerUnderTest.UntilAsync(() => Task.FromResult(Volatile.Read(ref attempts) >= 3));
        var next = indexer.Models.GoLive('c');
        indexer.Published.Wake();
        await indexer.ServesAsync(next);
        await indexer.PutAsync("j", "blue lamp");
        await indexer.DrainedAsync();
        await indexer.AssertIsCatalogueAsync(next);
        Assert.DoesNotContain(AliasOf(broken), await indexer.Index.AliasesAsync(Token));

        failing = false;
        await IndexerUnderTest.UntilAsync(() => PointsAsync(indexer, AliasOf(broken), broken));
    }

    [Fact]
    public async Task Event_that_the_pinned_model_fails_at_reaches_the_live_one_and_takes_the_alias_away_until_all_is_in()
    {
        await using var indexer = new IndexerUnderTest();
        var (pinned, live) = await TwoModelsAsync(indexer, 5);
        int failing = 1;
        indexer.OnEmbed = fingerprint =>
        {
            if (Volatile.Read(ref failing) == 1 && fingerprint.Value[0] == 'a') throw new InvalidOperationException("broken on purpose");
        };
        await indexer.PutAsync("i01", "changed since");
        await indexer.DeleteAsync("i02");
        await indexer.DrainedAsync();
        await indexer.AssertIsCatalogueAsync(live);
        Assert.Equal(["items"], await indexer.Index.AliasesAsync(Token));
        Volatile.Write(ref failing, 0);
        await IndexerUnderTest.UntilAsync(() => PointsAsync(indexer, AliasOf(pinned), pinned));
        await indexer.AssertIsCatalogueAsync(pinned);
        await indexer.PutAsync("i03", "changed later");
        await indexer.DrainedAsync();
        await indexer.AssertIsCatalogueAsync(pinned);
    }

    [Fact]
    public async Task Pinned_model_that_no_longer_loads_loses_its_alias_at_start()
    {
        await using var indexer = new IndexerUnderTest();
        var (pinned, live) = await TwoModelsAsync(indexer, 3);
        await indexer.StopAsync();
        indexer.Models.Broken[pinned.Version] = "a file was changed";
        await indexer.StartAsync();
        await indexer.DeleteAsync("i01");
        await indexer.DrainedAsync();
        Assert.Equal(["items"], await indexer.Index.AliasesAsync(Token));
        await indexer.AssertIsCatalogueAsync(live);
    }

    [Fact]
    public void Pinned_models_are_those_that_variants_name_each_once()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Variants:0:Name"] = "a", ["Variants:1:Version"] = "000002-bbbbbbbb", ["Variants:2:Version"] = "000001-aaaaaaaa", ["Variants:3:Version"] = "000002-bbbbbbbb", ["Variants:4:Version"] = "",
        }).Build();
        Assert.Equal(["000002-bbbbbbbb", "000001-aaaaaaaa"], PinnedModels.Of(configuration).Select(version => version.Value));
        Assert.Empty(PinnedModels.Of(new ConfigurationBuilder().Build()));
    }
}
