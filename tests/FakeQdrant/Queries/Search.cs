namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>One query or prefetch, which ask alike.</summary>
internal sealed record Search(
    IReadOnlyList<Search> Prefetches, Query? Query, string Using, Filter? Filter, SearchParams? Params, float? Threshold, ulong Limit, ulong Offset, LookupLocation? LookupFrom)
{
    private const ulong DefaultLimit = 10;

    public static Search Of(QueryPoints request) => new(
        [.. request.Prefetch.Select(Of)], request.Query, request.Using, request.Filter, request.Params, request.HasScoreThreshold ? request.ScoreThreshold : null,
        request.HasLimit ? request.Limit : DefaultLimit, request.Offset, request.LookupFrom);

    /// <summary>This search and all that it fetches from.</summary>
    public IEnumerable<Search> All => Prefetches.SelectMany(prefetch => prefetch.All).Prepend(this);

    private static Search Of(PrefetchQuery request) => new(
        [.. request.Prefetch.Select(Of)], request.Query, request.Using, request.Filter, request.Params, request.HasScoreThreshold ? request.ScoreThreshold : null,
        request.HasLimit ? request.Limit : DefaultLimit, 0, request.LookupFrom);
}
