using BeeFormer.Streaming.Clocks;
using BeeFormer.Streaming.ModelStore;

namespace BeeFormer.Streaming.Indexer.Tests;

/// <summary>Several Indexers on one log, one index and one ModelStore.</summary>
public sealed class TakeOverTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-leases-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task One_indexes_at_a_time_and_the_other_goes_on_where_it_stopped()
    {
        await using var indexer = new IndexerUnderTest();
        var model = indexer.Models.GoLive('a');
        int terms = 0;
        Indexing New(int number) => new(Leases.InFolder(_folder, TimeProvider.System), () =>
        {
            Interlocked.Add(ref terms, number);
            return indexer.NewTerm();
        }, TimeProvider.System, indexer.Logger<Indexing>());
        using Indexing first = New(1), second = New(100);
        await first.StartAsync(IndexerUnderTest.Token);
        await indexer.ServesAsync(model);
        await second.StartAsync(IndexerUnderTest.Token);
        for (int n = 0; n < 20; n++) await indexer.PutAsync($"i{n}", $"title {n}");
        await indexer.DrainedAsync();
        Assert.Equal(1, terms);

        await first.StopAsync(IndexerUnderTest.Token);
        for (int n = 10; n < 30; n++) await indexer.PutAsync($"i{n}", $"newer {n}");
        await indexer.DrainedAsync();
        Assert.Equal(101, terms);
        await indexer.AssertIsCatalogueAsync(model);
        await second.StopAsync(IndexerUnderTest.Token);
    }

    [Fact]
    public async Task One_whose_lease_is_lost_stops_and_stands_by()
    {
        var time = new LookClock(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000));
        await using var indexer = new IndexerUnderTest();
        var model = indexer.Models.GoLive('a');
        int terms = 0;
        using var indexing = new Indexing(Leases.InFolder(_folder, time), () =>
        {
            terms++;
            return indexer.NewTerm();
        }, TimeProvider.System, indexer.Logger<Indexing>());
        await indexing.StartAsync(IndexerUnderTest.Token);
        await indexer.ServesAsync(model);

        // As if the process had hung: its lease ran out, and another took it.
        string record = Directory.GetFiles(_folder, "*.json", SearchOption.AllDirectories).Single();
        long token = long.Parse(Path.GetFileNameWithoutExtension(record), System.Globalization.CultureInfo.InvariantCulture);
        File.Copy(record, Path.Combine(Path.GetDirectoryName(record)!, $"{token + 1:D20}.json"));
        time.Advance(TimeSpan.FromSeconds(5)); // a renewal is due
        await IndexerUnderTest.UntilAsync(() => Task.FromResult(indexer.Logged.Any(line => line.Line.Contains("The lease of indexing was lost", StringComparison.Ordinal))));
        await indexer.PutAsync("i1", "while nobody indexes");
        Assert.Empty(await indexer.ItemsAsync(model));

        // Nobody renews the other's lease.
        await IndexerUnderTest.UntilAsync(async () =>
        {
            time.AdvanceIfWaiting();
            return (await indexer.ItemsAsync(model)).Count == 1;
        });
        Assert.Equal(2, terms);
        await indexing.StopAsync(IndexerUnderTest.Token);
    }
}
