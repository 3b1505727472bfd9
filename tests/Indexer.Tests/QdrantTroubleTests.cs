using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.FakeQdrant;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.VectorIndex;
using Grpc.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Indexer.Tests;

/// <summary>The Indexer on a Qdrant that does not do what it should: in the end the collection in service holds what the log says, item by item.</summary>
public sealed class QdrantTroubleTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000));
    private readonly List<ServiceProvider> _connections = [];
    private FakeQdrantServer _server = null!;
    private IndexerUnderTest _indexer = null!;
    private ModelManifest _first = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await FakeQdrantServer.StartAsync();
        // The test looks by the system's clock: its own attempts must not wait for time that it alone lets pass.
        _indexer = new IndexerUnderTest { Time = _time, Held = Connect(TimeProvider.System), Around = Connect(_time) };
        _indexer.Options.ReconcileEvery = TimeSpan.FromSeconds(1);
        _first = _indexer.Models.GoLive('a');
        await _indexer.StartAsync();
        await ServesAsync(_first);
        for (int n = 0; n < 12; n++) await _indexer.PutAsync($"i{n:D2}", $"item {n}");
        await IndexedAsync();
    }

    public static TheoryData<StatusCode> Failures => [.. Enum.GetValues<StatusCode>().Where(status => status != StatusCode.OK)];

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Every_call_fails_for_a_while(StatusCode status)
    {
        var fault = _server.Inject(new Fault { Status = status, Times = 25 });
        var second = await ChangeAsync();
        await _indexer.ComesAsync(() => Task.FromResult(fault.Met == fault.Times));
        await IsAsTheLogSaysAsync(second);
    }

    [Fact]
    public async Task Answers_are_lost_after_the_server_has_done_what_was_asked()
    {
        var fault = _server.Inject(new Fault { Status = StatusCode.Unavailable, AfterApplying = true, Times = 25 });
        var second = await ChangeAsync();
        await _indexer.ComesAsync(() => Task.FromResult(fault.Met == fault.Times));
        await IsAsTheLogSaysAsync(second);
    }

    [Fact]
    public async Task The_server_is_down_for_a_minute()
    {
        await _server.DownAsync();
        var second = await ChangeAsync();
        var up = _time.GetUtcNow() + TimeSpan.FromMinutes(1);
        await _indexer.ComesAsync(() => Task.FromResult(_time.GetUtcNow() >= up));
        await _server.UpAsync();
        await IsAsTheLogSaysAsync(second);
    }

    [Fact]
    public async Task The_server_is_slow()
    {
        _server.Inject(new Fault { Delay = TimeSpan.FromMilliseconds(20) });
        await IsAsTheLogSaysAsync(await ChangeAsync());
    }

    [Fact]
    public async Task The_server_acknowledges_writes_and_loses_them()
    {
        var fault = _server.Inject(new Fault { Method = "Points/Upsert", LoseWrites = true, Times = 3 });
        for (int n = 6; n < 18; n++) await _indexer.PutAsync($"i{n:D2}", $"item {n} anew");
        await _indexer.ComesAsync(() => Task.FromResult(fault.Met == fault.Times));
        await IsAsTheLogSaysAsync(_first);
    }

    public async ValueTask DisposeAsync()
    {
        await _indexer.DisposeAsync();
        foreach (var connection in _connections) await connection.DisposeAsync();
        await _server.DisposeAsync();
    }

    private IVectorIndex Connect(TimeProvider time)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Qdrant:Endpoint", _server.Endpoint.ToString())]).Build();
        var services = new ServiceCollection().AddLogging().AddSingleton(time).AddVectorIndex(configuration, folder: "").BuildServiceProvider();
        _connections.Add(services);
        return services.GetRequiredService<IVectorIndex>();
    }

    /// <summary>Items that change, come and go, and another model beside them.</summary>
    private async Task<ModelManifest> ChangeAsync()
    {
        for (int n = 6; n < 18; n++) await _indexer.PutAsync($"i{n:D2}", $"item {n} anew", available: n % 5 > 0);
        await _indexer.DeleteAsync("i03");
        var second = _indexer.Models.GoLive('b');
        _indexer.Published.Wake();
        return second;
    }

    private async Task IsAsTheLogSaysAsync(ModelManifest model)
    {
        await ServesAsync(model);
        await IndexedAsync();
        // What was lost is found missing at a later look.
        await _indexer.ComesAsync(async () =>
        {
            try
            {
                await _indexer.AssertIsCatalogueAsync(model);
                return true;
            }
            catch (Xunit.Sdk.XunitException)
            {
                return false;
            }
        });
    }

    private Task ServesAsync(ModelManifest model) =>
        _indexer.ComesAsync(async () => (await _indexer.Held!.ResolveAliasAsync("items", IndexerUnderTest.Token))?.Collection == $"items-{model.Model.Fingerprint.Short}");

    private async Task IndexedAsync()
    {
        long end = await _indexer.Log.EndOffsetAsync(Topics.Items, 0, IndexerUnderTest.Token);
        await _indexer.ComesAsync(async () => await _indexer.Log.CommittedAsync(Topics.Items, ReaderGroups.Indexer, 0, IndexerUnderTest.Token) >= end);
    }
}
