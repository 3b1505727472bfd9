using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>Checks and answers one ranking request from a given pair, whether it came alone or in a batch.</summary>
internal sealed class RankingQueries(Recommender recommender, Variants variants, PinnedPairs pinned, Impressions impressions, IOptions<ApiOptions> options)
{
    private int MostIds => options.Value.MaxIds;

    public async Task<Results<Ok<RankingAnswer>, ProblemHttpResult>> RecommendAsync(PairLease pair, RecommendationRequest request, CancellationToken cancellationToken)
    {
        if (QueryInput.K(request.K, out int k) is { } badK) return badK;
        if (FilterJson.Read(request.Filter, MostIds, out var filter) is { } badFilter) return badFilter;
        if (QueryInput.Ids("exclude_ids", request.ExcludeIds, MostIds, out var excluded) is { } badExcluded) return badExcluded;
        if (QueryInput.Taste(request.UserId, request.History, MostIds, out var history) is { } badTaste) return badTaste;
        var variant = variants.For(request.UserId);
        if (ListPolicy.Read(request, variant.Ranking, out var asked) is { } badPolicy) return badPolicy;
        if (Page.Open(request.Cursor, k, pair.Identity, request with { K = null, Cursor = null }, out var page) is { } badCursor) return badCursor;

        var taste = request.UserId is null ? recommender.TasteOf(history) : await recommender.TasteOfAsync(new UserId(request.UserId), asked, cancellationToken);
        var exclude = (request.ExcludeSeen ?? true) ? taste.Seen.Union(excluded) : excluded;
        var (found, popular) = await recommender.RecommendAsync(pair, taste, asked, page.Places, filter, exclude.ToHashSet(), request.Explain ?? false, cancellationToken);
        var answer = Answer(page, found, popular ? "popular" : null, pair, variant.Name);
        // Until a pinned model serves, the live one stands in for it: that says nothing about the variant.
        if (request.UserId is { } user && pinned.IsOwn(variant, pair)) impressions.Show(new UserId(user), variant, answer.Value!.Items, continues: request.Cursor is not null);
        return answer;
    }

    public async Task<Results<Ok<RankingAnswer>, ProblemHttpResult>> SimilarAsync(PairLease pair, ItemId id, SimilarRequest request, CancellationToken cancellationToken)
    {
        if (QueryInput.K(request.K, out int k) is { } badK) return badK;
        if (FilterJson.Read(request.Filter, MostIds, out var filter) is { } badFilter) return badFilter;
        if (QueryInput.Ids("exclude_ids", request.ExcludeIds, MostIds, out var excluded) is { } badExcluded) return badExcluded;
        if (Page.Open(request.Cursor, k, pair.Identity, (Similar: id.Value, request with { K = null, Cursor = null }).ToTuple(), out var page) is { } badCursor) return badCursor;

        if (await recommender.FindAsync(pair, id, cancellationToken) is not { } item) return Refused.Unknown("item", id.Value);
        return Answer(page, await recommender.SearchAsync(pair, item.Vector, page.Wanted, filter.Without(excluded.Append(id).ToHashSet()), cancellationToken), null, pair);
    }

    public async Task<Results<Ok<RankingAnswer>, ProblemHttpResult>> SearchAsync(PairLease pair, SearchRequest request, CancellationToken cancellationToken)
    {
        if (QueryInput.Text("text", request.Text, options.Value.MaxTextLength) is { } badText) return badText;
        if (QueryInput.K(request.K, out int k) is { } badK) return badK;
        if (FilterJson.Read(request.Filter, MostIds, out var filter) is { } badFilter) return badFilter;
        if (QueryInput.Ids("exclude_ids", request.ExcludeIds, MostIds, out var excluded) is { } badExcluded) return badExcluded;
        if (Page.Open(request.Cursor, k, pair.Identity, request with { K = null, Cursor = null }, out var page) is { } badCursor) return badCursor;

        return Answer(page, await recommender.SearchAsync(pair, pair.Embedder.EmbedQuery(request.Text!), page.Wanted, filter.Without(excluded.ToHashSet()), cancellationToken), null, pair);
    }

    private static Ok<RankingAnswer> Answer(Page page, IReadOnlyList<RankedItem> ranking, string? fallback, PairLease pair, string? variant = null)
    {
        var (items, cursor) = page.Of(ranking);
        return TypedResults.Ok(new RankingAnswer(items, fallback, cursor, variant, pair.Identity));
    }
}
