namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>The points that a write means: by id or by filter.</summary>
internal sealed record Selected(IReadOnlyList<PointKey>? Keys, Filter? Filter)
{
    /// <exception cref="Grpc.Core.RpcException">Nothing is chosen.</exception>
    public static Selected Of(PointsSelector? selector, string missing)
    {
        FilterBody.Check(selector?.Filter, "points.points_selector_one_of");
        switch (selector?.PointsSelectorOneOfCase)
        {
            case null: throw Refusal.Invalid(missing);
            case PointsSelector.PointsSelectorOneOfOneofCase.Points:
                return selector.Points.Ids.Count > 0 ? new([.. selector.Points.Ids.Select(PointKey.Of)], null) : throw Refusal.BadRequest("Empty update request");
            case PointsSelector.PointsSelectorOneOfOneofCase.Filter:
                PointFilter.Of(selector.Filter, new Dictionary<string, FieldType>());
                return new(null, selector.Filter);
            default: throw Refusal.Invalid("Malformed PointsSelector type");
        }
    }

    /// <summary>Of a rate limit.</summary>
    public int Cost => Keys?.Count ?? 1;

    public IEnumerable<Point> Existing(Collection.Change change) =>
        Keys is null ? change.All.Where(PointFilter.Of(Filter, change.Indexes)) : Keys.Select(change.Find).OfType<Point>();

    /// <exception cref="Grpc.Core.RpcException">One of the ids is unknown.</exception>
    public void CheckAllExist(Collection.Change change)
    {
        foreach (var key in Keys ?? [])
            if (change.Find(key) is null) throw Refusal.NoPoint(key);
    }
}
