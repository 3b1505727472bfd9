using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.FakeQdrant;
using BeeFormer.Streaming.VectorIndex.Qdrant;
using Wire = BeeFormer.Streaming.FakeQdrant.Wire;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>Waiting for a server that indexes.</summary>
public sealed class SettlingTests : IAsyncLifetime
{
    private static readonly CollectionInfo Items = new("items-aaaaaaaa", 3, new Fingerprint(new string('a', 64)), new ModelVersion("000001-aaaaaaaa"));
    private readonly ImpatientClock clock = new();
    private FakeQdrantServer server = null!;
    private QdrantVectorIndex index = null!;
    private int looks;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        server = await FakeQdrantServer.StartAsync();
        index = QdrantFixture.Index(server, clock);
        await index.CreateAsync(Items, Token);
        await index.FindAsync(Items.Name, Token);
    }

    public async ValueTask DisposeAsync()
    {
        index.Dispose();
        await server.DisposeAsync();
    }

    /// <summary>What the server says, look after look; the last for ever.</summary>
    private void Reports(params Action<Wire.CollectionInfo>[] states) => server.Report = info => states[Math.Min(Interlocked.Increment(ref looks), states.Length) - 1](info);

    private static void Green(Wire.CollectionInfo info) => info.Status = Wire.CollectionStatus.Green;
    private static void Yellow(Wire.CollectionInfo info) => info.Status = Wire.CollectionStatus.Yellow;
    private static void Grey(Wire.CollectionInfo info) => info.Status = Wire.CollectionStatus.Grey;

    [Fact]
    public async Task The_graph_is_built_once_all_is_loaded()
    {
        await index.SettleAsync(Items.Name, Token);
        await index.SettleAsync(Items.Name, Token);
        var updates = server.Calls.Where(call => call.Method == "Collections/Update").Select(call => Wire.UpdateCollection.Parser.ParseFrom(call.Request.Span)).Where(update => update.OptimizersConfig is not null);
        Assert.Equal(10_000ul, Assert.Single(updates).OptimizersConfig.IndexingThreshold);
        Assert.Equal(2, server.Attempts("Points/Delete"));
    }

    [Fact]
    public async Task Done_is_who_is_green_twice_in_a_row_with_nothing_queued()
    {
        Reports(Green, Green, Yellow, Green, Yellow, info => { Green(info); info.UpdateQueue.Length = 3; }, Green, Green, Yellow);
        await index.SettleAsync(Items.Name, Token);
        Assert.Equal(8, looks);
    }

    [Fact]
    public async Task A_server_that_waits_for_a_write_gets_one()
    {
        Reports(Grey, Grey, Grey, Green);
        await index.SettleAsync(Items.Name, Token);
        Assert.Equal(3, server.Attempts("Points/Delete"));
    }

    [Fact]
    public async Task A_server_that_cannot_index_says_why()
    {
        Reports(Green, info => info.OptimizerStatus = new Wire.OptimizerStatus { Error = "no space" });
        Assert.Contains("no space", (await Assert.ThrowsAsync<IOException>(async () => await index.SettleAsync(Items.Name, Token))).Message, StringComparison.Ordinal);
        looks = 0;
        Reports(Green, info => info.Status = Wire.CollectionStatus.Red);
        Assert.Contains("Red", (await Assert.ThrowsAsync<IOException>(async () => await index.SettleAsync(Items.Name, Token))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Patience_ends()
    {
        using var index = QdrantFixture.Index(server, clock, options => options.SettleTimeout = TimeSpan.FromMinutes(1));
        Reports(Yellow);
        Assert.Contains("Qdrant:SettleTimeout", (await Assert.ThrowsAsync<IOException>(async () => await index.SettleAsync(Items.Name, Token))).Message, StringComparison.Ordinal);
        Assert.InRange(clock.Waits.Sum(wait => wait.TotalSeconds), 60, 70);
    }
}
