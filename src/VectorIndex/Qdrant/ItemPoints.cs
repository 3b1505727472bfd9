using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex.Embedded;
using Qdrant.Client.Grpc;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>
/// Items as points: payload <c>item_id, title, attributes, available, rev</c>. A deleted item leaves a point without vector, <c>item_id, available = false, deleted = true, rev</c>, so that an older upsert
/// that arrives later finds something newer.
/// </summary>
internal static class ItemPoints
{
    public const string ItemId = "item_id", Title = "title", Available = "available", Revision = "rev", Deleted = "deleted";

    /// <summary>Conditions compare revisions as doubles.</summary>
    private const long MaxRevision = 1L << 53;

    public static PointStruct Of(IndexedItem item, int dimension)
    {
        if (Id.Problem("item_id", item.Id.Value) is { } problem) throw new ArgumentException(problem + ".");
        var vector = new DenseVector();
        vector.Data.AddRange(UnitVector.Of($"The vector of item {item.Id}", item.Vector, dimension));
        var attributes = new Struct();
        foreach (var (name, value) in item.Attributes) attributes.Fields[AttributePath.Key(name)] = PayloadJson.Of(value, $"Attribute \"{name}\" of item {item.Id}");
        return new PointStruct
        {
            Id = PointIds.Of(item.Id),
            Vectors = new Vectors { Vector = new Vector { Dense = vector } },
            Payload =
            {
                [ItemId] = new Value { StringValue = item.Id.Value },
                [Title] = new Value { StringValue = item.Title },
                [AttributePath.Field] = new Value { StructValue = attributes },
                [Available] = new Value { BoolValue = item.Available },
                [Revision] = new Value { IntegerValue = Checked(item.Id, item.Revision) },
            },
        };
    }

    public static PointStruct Tombstone(ItemId id, long revision) => new()
    {
        Id = PointIds.Of(id),
        Vectors = new Vectors { Vectors_ = new NamedVectors() },
        Payload =
        {
            [ItemId] = new Value { StringValue = id.Value },
            [Available] = new Value { BoolValue = false },
            [Deleted] = new Value { BoolValue = true },
            [Revision] = new Value { IntegerValue = Checked(id, revision) },
        },
    };

    public static bool IsTombstone(RetrievedPoint point) => point.Payload.TryGetValue(Deleted, out var deleted) && deleted.BoolValue;

    public static ItemId IdOf(IDictionary<string, Value> payload, PointId point) => new(Field(payload, point, ItemId, Value.KindOneofCase.StringValue).StringValue);

    public static long RevisionOf(RetrievedPoint point) => Field(point.Payload, point.Id, Revision, Value.KindOneofCase.IntegerValue).IntegerValue;

    public static string TitleOf(IDictionary<string, Value> payload, PointId point) => Field(payload, point, Title, Value.KindOneofCase.StringValue).StringValue;

    /// <exception cref="InvalidDataException">The point was written by something else.</exception>
    public static IndexedItem Item(RetrievedPoint point)
    {
        var attributes = new Dictionary<string, JsonElement>();
        foreach (var (key, value) in Field(point.Payload, point.Id, AttributePath.Field, Value.KindOneofCase.StructValue).StructValue.Fields) attributes[AttributePath.Attribute(key)] = PayloadJson.Element(value);
        return new IndexedItem(IdOf(point.Payload, point.Id), RevisionOf(point), Numbers(point), TitleOf(point.Payload, point.Id), Field(point.Payload, point.Id, Available, Value.KindOneofCase.BoolValue).BoolValue, attributes);
    }

    private static float[] Numbers(RetrievedPoint point)
    {
        if (point.Vectors?.Vector is not { } vector) throw new InvalidDataException($"Point {point.Id} has no vector; it was not written by an index of items.");
#pragma warning disable CS0612, CS0618 // servers up to 1.16 answer by nothing else
        return [.. vector.Dense is { } dense ? dense.Data : vector.Data];
#pragma warning restore CS0612, CS0618
    }

    private static Value Field(IDictionary<string, Value> payload, PointId point, string name, Value.KindOneofCase kind) =>
        payload.TryGetValue(name, out var value) && value.KindCase == kind ? value
        : throw new InvalidDataException($"Point {point} has no {name} of kind {kind}; it was not written by an index of items.");

    private static long Checked(ItemId id, long revision) =>
        revision is >= -MaxRevision and <= MaxRevision ? revision : throw new ArgumentException($"Revision {revision} of item {id} is beyond ±{MaxRevision}.");
}
