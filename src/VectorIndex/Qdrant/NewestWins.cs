using Qdrant.Client.Grpc;
using QdrantRange = Qdrant.Client.Grpc.Range;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>
/// The condition of a write. A request has one filter for all its points, and that is asked of each stored point: so it says, for each revision in the request, these points and an older one.
/// The server decides and writes in one step; what two writers do at once ends as if the newest had come last. Points that are not there are written whatever the filter says.
/// </summary>
internal static class NewestWins
{
    /// <summary>Of several changes of one item, the one that would remain if they came one after the other: a request with an id twice keeps the last, not the newest.</summary>
    public static List<PointStruct> OneEach(IEnumerable<PointStruct> points)
    {
        var newest = new Dictionary<string, PointStruct>(StringComparer.Ordinal);
        foreach (var point in points)
            if (!newest.TryGetValue(point.Id.Uuid, out var known) || Revision(known) < Revision(point)) newest[point.Id.Uuid] = point;
        return [.. newest.Values];
    }

    /// <param name="points">Items, or deletions: of both at one revision the deletion stays.</param>
    public static Filter Condition(IEnumerable<PointStruct> points, bool deletions)
    {
        var filter = new Filter();
        foreach (var revision in points.GroupBy(Revision))
        {
            var ids = new HasIdCondition();
            ids.HasId.AddRange(revision.Select(point => point.Id));
            var range = deletions ? new QdrantRange { Lte = revision.Key } : new QdrantRange { Lt = revision.Key };
            var older = new FieldCondition { Key = ItemPoints.Revision, Range = range };
            filter.Should.Add(new Condition { Filter = new Filter { Must = { new Condition { HasId = ids }, new Condition { Field = older } } } });
        }
        filter.Should.Add(new Condition { IsEmpty = new IsEmptyCondition { Key = ItemPoints.Revision } });
        return filter;
    }

    private static long Revision(PointStruct point) => point.Payload[ItemPoints.Revision].IntegerValue;
}
