using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex;

/// <summary>Questions that every form of the index answers by the same few calls.</summary>
public static class VectorIndexQueries
{
    /// <inheritdoc cref="IVectorIndex.SearchAsync"/>
    public static async ValueTask<IReadOnlyList<ScoredItem>> SearchAsync(this IVectorIndex index, string collection, QueryVector query, int k, ItemFilter filter, CancellationToken cancellationToken) =>
        (await index.SearchAsync(collection, [new SearchQuery(query, k, filter)], cancellationToken).ConfigureAwait(false))[0];

    /// <summary>
    /// The k available items nearest to 2 · mean(positive) − mean(negative) (without negatives: to the mean of the positive ones), best first; the examples themselves are in no answer. Examples that the index does not hold count for nothing.
    /// </summary>
    /// <returns>Empty when the index holds none of the positive examples, or they cancel out.</returns>
    public static async ValueTask<IReadOnlyList<ScoredItem>> RecommendAsync(
        this IVectorIndex index, string collection, Fingerprint fingerprint, IReadOnlyCollection<ItemId> positive, IReadOnlyCollection<ItemId> negative, int k, ItemFilter filter, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        var examples = positive.Concat(negative).ToHashSet();
        var vectors = (await index.FetchAsync(collection, [.. examples], cancellationToken).ConfigureAwait(false)).ToDictionary(item => item.Id, item => item.Vector);
        if (Mean(positive, vectors) is not { } direction) return [];
        if (Mean(negative, vectors) is { } away)
            for (int n = 0; n < direction.Length; n++) direction[n] = 2 * direction[n] - away[n];
        if (direction.All(number => Math.Abs(number) < 1e-9)) return [];
        return await index.SearchAsync(collection, new QueryVector(fingerprint, Array.ConvertAll(direction, number => (float)number)), k, filter.Without(examples), cancellationToken).ConfigureAwait(false);
    }

    private static double[]? Mean(IReadOnlyCollection<ItemId> ids, Dictionary<ItemId, float[]> vectors)
    {
        var known = ids.Where(vectors.ContainsKey).Select(id => vectors[id]).ToList();
        if (known.Count == 0) return null;
        var mean = new double[known[0].Length];
        foreach (float[] vector in known)
            for (int n = 0; n < mean.Length; n++) mean[n] += vector[n] / (double)known.Count;
        return mean;
    }
}
