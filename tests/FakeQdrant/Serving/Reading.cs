namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>The reads of qdrant.Points.</summary>
internal sealed class Reading(Store store)
{
    private const uint DefaultLimit = 10;

    public GetResponse Get(GetPoints request, Caller caller)
    {
        Body.CollectionName(request.CollectionName);
        Body.Consistency(request.ReadConsistency);
        var payload = PayloadSelection.Of(request.WithPayload, false);
        var keys = request.Ids.Select(PointKey.Of).Distinct().ToList();
        var collection = store.Get(request.CollectionName);
        collection.Strict.Timeout(request.HasTimeout ? request.Timeout : null);
        collection.Strict.Read();
        var vectors = VectorSelection.Of(request.WithVectors, collection, store.Generation);
        return new() { Result = { keys.Select(collection.Find).OfType<Point>().Select(point => point.ToRetrieved(payload, vectors)) } };
    }

    public ScrollResponse Scroll(ScrollPoints request, Caller caller)
    {
        Body.CollectionName(request.CollectionName);
        FilterBody.Check(request.Filter, "filter");
        if (request.HasLimit) Body.AtLeast(1, request.Limit, "limit");
        Body.Consistency(request.ReadConsistency);
        var payload = PayloadSelection.Of(request.WithPayload, true);
        var from = request.Offset is { } offset ? PointKey.Of(offset) : default;
        var collection = store.Get(request.CollectionName);
        var limit = request.HasLimit ? request.Limit : DefaultLimit;
        var filter = Filter(collection, request.Filter);
        collection.Strict.Limit(limit);
        collection.Strict.Timeout(request.HasTimeout ? request.Timeout : null);
        collection.Strict.Read();
        var vectors = VectorSelection.Of(request.WithVectors, collection, store.Generation);
        var all = collection.InOrder();
        var page = Enumerable.Range(First(all, from), all.Length - First(all, from)).Select(i => all[i]).Where(filter).Take((int)Math.Min(limit, int.MaxValue - 1) + 1).ToList();
        var answer = new ScrollResponse();
        if (page.Count > limit)
        {
            answer.NextPageOffset = page[^1].Key.ToId();
            page.RemoveAt(page.Count - 1);
        }
        answer.Result.AddRange(page.Select(point => point.ToRetrieved(payload, vectors)));
        return answer;
    }

    public CountResponse Count(CountPoints request, Caller caller)
    {
        Body.CollectionName(request.CollectionName);
        FilterBody.Check(request.Filter, "filter");
        Body.Consistency(request.ReadConsistency);
        PointFilter.Of(request.Filter, new Dictionary<string, FieldType>());
        var collection = store.Get(request.CollectionName);
        var filter = Filter(collection, request.Filter);
        collection.Strict.Exact(!request.HasExact || request.Exact);
        collection.Strict.Timeout(request.HasTimeout ? request.Timeout : null);
        collection.Strict.Read();
        return new() { Result = new CountResult { Count = (ulong)collection.Snapshot().LongCount(filter) } };
    }

    public QueryResponse Query(QueryPoints request, Caller caller)
    {
        Body.Search(request);
        Body.Consistency(request.ReadConsistency);
        QueryShape.Check(request);
        return new() { Result = { Answer(store.Get(request.CollectionName), request, request.HasTimeout ? request.Timeout : null) } };
    }

    public QueryBatchResponse QueryBatch(QueryBatchPoints request, Caller caller)
    {
        Body.CollectionName(request.CollectionName);
        if (request.HasTimeout) Body.AtLeast(1, request.Timeout, "timeout");
        foreach (var (i, query) in request.QueryPoints.Index()) Body.Search(query, $"query_points[{i}].");
        Body.Consistency(request.ReadConsistency);
        foreach (var query in request.QueryPoints) QueryShape.Check(query);
        var collection = store.Get(request.CollectionName);
        ulong? timeout = request.HasTimeout ? request.Timeout : null;
        return new() { Result = { request.QueryPoints.Select(query => new BatchResult { Result = { Answer(collection, query, timeout) } }) } };
    }

    private IEnumerable<ScoredPoint> Answer(Collection collection, QueryPoints request, ulong? timeout)
    {
        var search = Search.Of(request);
        collection.Strict.Timeout(timeout);
        foreach (var part in search.All)
        {
            collection.Strict.Limit(part.Limit);
            collection.Strict.Filter(part.Filter, collection.Indexes, update: false);
            collection.Strict.Search(part.Params);
        }
        collection.Strict.Read();
        var payload = PayloadSelection.Of(request.WithPayload, false);
        var vectors = VectorSelection.Of(request.WithVectors, collection, store.Generation);
        return [.. new Searching(store, collection).Run(search).Select(hit => hit.Point.ToScored(hit.Score, request.Query is null or { VariantCase: Wire.Query.VariantOneofCase.Sample } ? 0 : hit.Point.Version, payload, vectors))];
    }

    private static Func<Point, bool> Filter(Collection collection, Filter? filter)
    {
        var test = PointFilter.Of(filter, collection.Indexes);
        collection.Strict.Filter(filter, collection.Indexes, update: false);
        return test;
    }

    /// <summary>Where the first point from this id on stands.</summary>
    private static int First(Point[] inOrder, PointKey from)
    {
        int low = 0, high = inOrder.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (inOrder[middle].Key.CompareTo(from) < 0) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
