using BeeFormer.Streaming.FakeQdrant;
using BeeFormer.Streaming.VectorIndex.Qdrant;
using Grpc.Core;
using Grpc.Net.Client;
using Qdrant.Client.Grpc;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>The contract on a fake server that applies unwaited writes as late as it may.</summary>
public sealed class QdrantContractTests : VectorIndexContract, IAsyncLifetime
{
    private FakeQdrantServer? server;
    private QdrantVectorIndex? index;

    protected override IVectorIndex Index => index!;

    public async ValueTask InitializeAsync()
    {
        server = await FakeQdrantServer.StartAsync();
        server.HoldUnwaitedWrites = true;
        index = QdrantFixture.Index(server, set: options => options.UpsertBatch = 100);
    }

    public async ValueTask DisposeAsync()
    {
        index?.Dispose();
        if (server is not null) await server.DisposeAsync();
    }
}

/// <summary>As before on an older server, with another installation's collections on the server, and payload indexes of the attributes that the tests ask for most.</summary>
public sealed class IndexedQdrantContractTests : VectorIndexContract, IAsyncLifetime
{
    private FakeQdrantServer? server;
    private QdrantVectorIndex? index, neighbour;

    protected override IVectorIndex Index => index!;

    public async ValueTask InitializeAsync()
    {
        server = await FakeQdrantServer.StartAsync(new() { Version = new(1, 16, 3) });
        neighbour = QdrantFixture.Index(server, set: options => options.Prefix = "other-shop-");
        await neighbour.CreateAsync(Items, CancellationToken.None);
        await neighbour.UpsertAsync(Items.Name, [AnItem("of the neighbour", 1_000_000)], CancellationToken.None);
        await neighbour.PointAliasAsync("items", Items.Name, CancellationToken.None);
        index = QdrantFixture.Index(server, set: options =>
        {
            options.Prefix = "shop-";
            options.Int8 = true;
            options.IndexedAttributes = new() { ["brand"] = AttributeIndex.Keyword, ["price"] = AttributeIndex.Float, ["released"] = AttributeIndex.Datetime, ["with space"] = AttributeIndex.Bool, ["quote\"d"] = AttributeIndex.Keyword };
        });
    }

    public async ValueTask DisposeAsync()
    {
        Assert.Equal(1, await neighbour!.CountAsync(Items.Name, ItemFilter.None, CancellationToken.None));
        Assert.Equal(new AliasTarget(Items.Name, 1), await neighbour.ResolveAliasAsync("items", CancellationToken.None));
        index?.Dispose();
        neighbour.Dispose();
        await server!.DisposeAsync();
    }
}

/// <summary>The contract on the server that QDRANT_ENDPOINT names (and QDRANT_API_KEY opens); without it these tests are skipped, in CI as well, where no server can be had.</summary>
public sealed class RealQdrantContractTests : VectorIndexContract, IAsyncLifetime
{
    private static readonly string? Endpoint = Environment.GetEnvironmentVariable("QDRANT_ENDPOINT"), Key = Environment.GetEnvironmentVariable("QDRANT_API_KEY");
    private readonly string prefix = $"test-{Guid.NewGuid():N}-";
    private QdrantVectorIndex? index;

    protected override IVectorIndex Index
    {
        get
        {
            Assert.SkipWhen(index is null, "QDRANT_ENDPOINT is not set: it names a Qdrant server for these tests.");
            return index!;
        }
    }

    public ValueTask InitializeAsync()
    {
        if (!string.IsNullOrEmpty(Endpoint))
            index = QdrantFixture.Index(Endpoint, set: options => (options.Prefix, options.ApiKey) = (prefix, Key));
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        if (index is null) return;
        index.Dispose();
        using var channel = GrpcChannel.ForAddress(Endpoint!);
        var collections = new Collections.CollectionsClient(channel);
        Metadata key = Key is null ? [] : new() { { "api-key", Key } };
        foreach (var collection in (await collections.ListAsync(new ListCollectionsRequest(), key)).Collections)
            if (collection.Name.StartsWith(prefix, StringComparison.Ordinal)) await collections.DeleteAsync(new DeleteCollection { CollectionName = collection.Name }, key);
    }
}
