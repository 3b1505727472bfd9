namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>Answers searches of a collection by looking at every point.</summary>
internal sealed class Searching(Store store, Collection collection)
{
    private readonly IReadOnlyDictionary<string, FieldType> indexes = collection.Indexes;

    /// <summary>Best first.</summary>
    /// <exception cref="Grpc.Core.RpcException">What the search asks for makes no sense or is not there.</exception>
    public IReadOnlyList<Hit> Run(Search search) => Run(search, _ => true);

    private IReadOnlyList<Hit> Run(Search search, Func<Point, bool> outer)
    {
        var own = PointFilter.Of(search.Filter, indexes);
        var admits = outer;
        if (search.Filter is not null) admits = point => outer(point) && own(point);
        if (search.Query is null && search.Prefetches.Count > 0)
            throw Refusal.BadRequest("A query is needed to merge the prefetches. Can't have prefetches without defining a query.");
        // A filter holds for what is fetched too.
        var fetched = search.Prefetches.Select(prefetch => Run(prefetch, admits)).ToList();
        if (search.Query?.VariantCase == Query.VariantOneofCase.Fusion)
        {
            if (fetched.Count == 0) throw Refusal.WrongInput("Validation failed: cannot apply Fusion without prefetches");
            return Best(Fusing.Fuse(search.Query.Fusion, fetched), search, false);
        }
        var candidates = fetched.Count == 0 ? search.Query is null ? collection.InOrder() : collection.Snapshot() : fetched.SelectMany(hits => hits).Select(hit => hit.Point).DistinctBy(point => point.Key);
        if (search.Query is null) return [.. Page(candidates.Where(admits), search).Select(point => new Hit(point, 1, 1))];
        if (search.Query.VariantCase == Query.VariantOneofCase.Sample)
        {
            var all = candidates.Where(admits).ToArray();
            new Random(all.Length).Shuffle(all);
            return [.. Page(all, search).Select(point => new Hit(point, 1, 1))];
        }
        var space = collection.Space(search.Using);
        var (scoring, excluded) = Scoring(search, space);
        return Best(Scored(), search, scoring.SmallerIsBetter);

        IEnumerable<Hit> Scored()
        {
            foreach (var point in candidates)
                if (point.Vectors.TryGetValue(space.Name, out var vector) && !excluded.Contains(point.Key) && admits(point))
                {
                    var order = scoring.Order(vector);
                    yield return new Hit(point, order, scoring.Score(order));
                }
        }
    }

    private static IReadOnlyList<Hit> Best(IEnumerable<Hit> hits, Search search, bool smallerIsBetter)
    {
        if (search.Threshold is { } threshold) hits = hits.Where(hit => smallerIsBetter ? hit.Score < threshold : hit.Score > threshold);
        var most = (int)Math.Min(int.MaxValue / 2, Math.Min(search.Limit, int.MaxValue) + Math.Min(search.Offset, int.MaxValue));
        var best = new PriorityQueue<Hit, float>();
        foreach (var hit in hits)
            if (best.Count < most) best.Enqueue(hit, hit.Rank);
            else best.EnqueueDequeue(hit, hit.Rank);
        var ranked = new List<Hit>(best.Count);
        while (best.TryDequeue(out var hit, out _)) ranked.Add(hit);
        ranked.Reverse();
        return [.. Page(ranked, search)];
    }

    private static IEnumerable<T> Page<T>(IEnumerable<T> all, Search search) =>
        all.Skip((int)Math.Min(search.Offset, int.MaxValue)).Take((int)Math.Min(search.Limit, int.MaxValue));

    /// <summary>How to score, and the points that the query names: they are no answers to it.</summary>
    private (Scoring, IReadOnlySet<PointKey>) Scoring(Search search, VectorSpace space)
    {
        var source = search.LookupFrom is { } lookup ? store.Find(lookup.CollectionName) ?? throw Refusal.NotFound($"Collection {lookup.CollectionName} not found") : collection;
        var name = search.LookupFrom is { } from ? from.VectorName : search.Using;
        var named = new HashSet<PointKey>();
        var query = search.Query!;
        switch (query.VariantCase)
        {
            case Query.VariantOneofCase.Nearest:
                return (FakeQdrant.Scoring.Nearest(space, Vector(query.Nearest)), Excluded());
            case Query.VariantOneofCase.Recommend:
                var positive = query.Recommend.Positive.Select(Vector).ToList();
                var negative = query.Recommend.Negative.Select(Vector).ToList();
                return (FakeQdrant.Scoring.Recommend(space, query.Recommend.Strategy, positive, negative), Excluded());
            default:
                throw Refusal.Invalid("Query variant is missing");
        }

        // The server gives a point that the query names if the filter names it too.
        IReadOnlySet<PointKey> Excluded()
        {
            if (!ReferenceEquals(source, collection)) return new HashSet<PointKey>();
            foreach (var condition in search.Filter?.Must ?? []) named.ExceptWith(condition.HasId?.HasId.Select(PointKey.Of) ?? []);
            return named;
        }

        float[] Vector(VectorInput input)
        {
            if (input.VariantCase == VectorInput.VariantOneofCase.Dense)
            {
                (space with { Name = "" }).CheckSize(input.Dense.Data);
                return [.. input.Dense.Data];
            }
            var key = PointKey.Of(input.Id);
            named.Add(key);
            var point = source.Find(key) ?? throw Refusal.NoPoint(key);
            var vector = point.Vectors.GetValueOrDefault(name) ?? throw Refusal.NotFound($"Vector with name \"{name}\" for point not found");
            (space with { Name = "" }).CheckSize(vector);
            return vector;
        }
    }
}
