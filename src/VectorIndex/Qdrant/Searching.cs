using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex.Embedded;
using Qdrant.Client.Grpc;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>Searches, many in one request. The server orders equal scores as it likes: more are asked for than wanted, and where those at the end of the wanted ones are as good as the last that came, more still.</summary>
internal sealed class Searching(QdrantCalls calls, QdrantOptions options)
{
    private const int Margin = 16;
    /// <summary>Of more equal ones than this the server chooses.</summary>
    private const int MaxMargin = 8192;

    /// <param name="name">As the server knows it.</param>
    public async Task<IReadOnlyList<IReadOnlyList<ScoredItem>>> SearchAsync(CollectionInfo collection, string name, IReadOnlyList<SearchQuery> queries, CancellationToken cancellationToken)
    {
        var points = queries.Select(query => Request(query, collection, name)).ToList();
        var answers = new IReadOnlyList<ScoredItem>[queries.Count];
        var open = Enumerable.Range(0, queries.Count).ToList();
        for (int margin = Margin; open.Count > 0; margin *= 8)
        {
            foreach (int n in open) points[n].Limit = (ulong)((long)queries[n].K + margin);
            var batch = new QueryBatchPoints { CollectionName = name, Timeout = calls.ReadSeconds };
            batch.QueryPoints.AddRange(open.Select(n => points[n]));
            var results = (await calls.ReadAsync("Points/QueryBatch", collection.Name, call => calls.Points.QueryBatchAsync(batch, call), cancellationToken).ConfigureAwait(false)).Result;
            if (results.Count != open.Count) throw new InvalidDataException($"Qdrant answered {results.Count} of {open.Count} queries.");
            for (int at = open.Count - 1; at >= 0; at--)
            {
                int n = open[at], k = queries[n].K;
                var found = results[at].Result;
                bool tieGoesOn = (ulong)found.Count >= points[n].Limit && found[^1].Score == found[k - 1].Score;
                if (tieGoesOn && margin < MaxMargin) continue;
                answers[n] = [.. found.Select(Item).OrderByDescending(item => item.Score).ThenBy(item => item.Id).Take(k)];
                open.RemoveAt(at);
            }
        }
        return answers;
    }

    private QueryPoints Request(SearchQuery query, CollectionInfo collection, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(query.K, 1, nameof(query.K));
        if (query.Vector.Fingerprint != collection.Fingerprint) throw new FingerprintMismatchException(query.Vector.Fingerprint, collection.Fingerprint);
        var vector = new DenseVector();
        vector.Data.AddRange(UnitVector.Of("The query vector", query.Vector.Values.Span, collection.Dimension));
        return new QueryPoints
        {
            CollectionName = name,
            Query = new Query { Nearest = new VectorInput { Dense = vector } },
            Filter = ItemConditions.Shown(query.Filter),
            Params = Params(query.Exact),
            WithPayload = new WithPayloadSelector { Include = new PayloadIncludeSelector { Fields = { ItemPoints.ItemId, ItemPoints.Title } } },
        };
    }

    private SearchParams Params(bool exact)
    {
        var search = new SearchParams { Exact = exact };
        if (exact) return search;
        if (options.SearchEf is { } ef) search.HnswEf = (ulong)ef;
        if (options.Int8) search.Quantization = new QuantizationSearchParams { Rescore = true, Oversampling = 2 };
        return search;
    }

    private static ScoredItem Item(ScoredPoint point) => new(ItemPoints.IdOf(point.Payload, point.Id), point.Score, ItemPoints.TitleOf(point.Payload, point.Id));
}
