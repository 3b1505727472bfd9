using Qdrant.Client.Grpc;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>How a collection is made: without a graph until it has been loaded (<see cref="Settling"/>), with payload indexes before it has points, so that the graph knows them.</summary>
internal static class NewCollection
{
    public static CreateCollection Of(string name, int dimension, QdrantOptions options, ulong timeout)
    {
        var vectors = new VectorParams { Size = (ulong)dimension, Distance = Distance.Cosine };
        var create = new CreateCollection
        {
            CollectionName = name,
            VectorsConfig = new VectorsConfig { Params = vectors },
            HnswConfig = new HnswConfigDiff { M = (ulong)options.HnswM, EfConstruct = (ulong)options.HnswEfConstruct },
            OptimizersConfig = new OptimizersConfigDiff { IndexingThreshold = 0 },
            ShardNumber = (uint)options.Shards,
            ReplicationFactor = (uint)options.Replicas,
            Timeout = timeout,
        };
#pragma warning disable CS0612, CS0618 // what replaces these flags is unknown to servers before 1.19
        if (options.VectorsOnDisk) vectors.OnDisk = true;
        if (options.Int8) create.QuantizationConfig = new QuantizationConfig { Scalar = new ScalarQuantization { Type = QuantizationType.Int8, Quantile = 0.99f, AlwaysRam = true } };
#pragma warning restore CS0612, CS0618
        return create;
    }

    public static IEnumerable<CreateFieldIndexCollection> PayloadIndexes(string name, QdrantOptions options, ulong timeout)
    {
        var fields = new List<(string Path, FieldType Type)> { (ItemPoints.Available, FieldType.Bool), (ItemPoints.Deleted, FieldType.Bool), (ItemPoints.Revision, FieldType.Integer) };
        fields.AddRange(options.IndexedAttributes.Select(attribute => (AttributePath.Of(attribute.Key), Type(attribute.Value))));
        return fields.Select(field => new CreateFieldIndexCollection { CollectionName = name, FieldName = field.Path, FieldType = field.Type, Wait = true, Timeout = timeout });
    }

    private static FieldType Type(AttributeIndex index) => index switch
    {
        AttributeIndex.Keyword => FieldType.Keyword,
        AttributeIndex.Float => FieldType.Float,
        AttributeIndex.Bool => FieldType.Bool,
        _ => FieldType.Datetime,
    };
}
