using System.Security.Cryptography;
using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;
using Grpc.Core;
using Grpc.Net.Client;
using Qdrant.Client.Grpc;

namespace BeeFormer.Streaming.QdrantLoad;

/// <summary>What one would write without the index: upserts without a condition, as many at once, waited for. The same points but for attributes; ids are a hash.</summary>
internal static class PlainLoad
{
    public static async Task RunAsync(string endpoint, string? key, string collection, int dimension, IReadOnlyList<IndexedItem> items, int batch, int inFlight)
    {
        using var channel = GrpcChannel.ForAddress(endpoint, new GrpcChannelOptions { CompressionProviders = [] });
        Metadata headers = key is null ? [] : new() { { "api-key", key } };
        var collections = new Collections.CollectionsClient(channel);
        var points = new Points.PointsClient(channel);
        await collections.CreateAsync(new CreateCollection
        {
            CollectionName = collection,
            VectorsConfig = new VectorsConfig { Params = new VectorParams { Size = (ulong)dimension, Distance = Distance.Cosine } },
            OptimizersConfig = new OptimizersConfigDiff { IndexingThreshold = 0 },
        }, headers);
        await Parallel.ForEachAsync(items.Chunk(batch), new ParallelOptions { MaxDegreeOfParallelism = inFlight }, async (chunk, token) =>
        {
            var upsert = new UpsertPoints { CollectionName = collection, Wait = true };
            upsert.Points.AddRange(chunk.Select(Point));
            await points.UpsertAsync(upsert, headers, cancellationToken: token);
        });
        await collections.DeleteAsync(new DeleteCollection { CollectionName = collection }, headers);
    }

    private static PointStruct Point(IndexedItem item)
    {
        var vector = new DenseVector();
        vector.Data.AddRange(item.Vector);
        return new PointStruct
        {
            Id = new PointId { Uuid = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(item.Id.Value)).AsSpan(0, 16)).ToString() },
            Vectors = new Vectors { Vector = new Vector { Dense = vector } },
            Payload =
            {
                ["item_id"] = new Value { StringValue = item.Id.Value },
                ["title"] = new Value { StringValue = item.Title },
                ["available"] = new Value { BoolValue = item.Available },
                ["rev"] = new Value { IntegerValue = item.Revision },
            },
        };
    }
}
