using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>Items for a user, for an item, for a text.</summary>
internal static class RankingEndpoints
{
    public static void Map(IEndpointRouteBuilder v1)
    {
        v1.MapPost("/recommendations", RecommendAsync).WithName("Recommend").WithTags("Ranking")
            .WithSummary("Items that a user, or a history of items, is likely to want next")
            .WithDescription("Ranked by the model, by popularity and by what the user has bought, as configured. Unknown users get popular items, marked \"fallback\": \"popular\".")
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        v1.MapGet("/items/{id}/similar", SimilarAsync).WithName("SimilarItems").WithTags("Ranking")
            .WithSummary("Items most similar to an item")
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        v1.MapPost("/search", SearchAsync).WithName("Search").WithTags("Ranking")
            .WithSummary("Items that match a text by meaning")
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    public static async Task<Results<Ok<RankingAnswer>, ProblemHttpResult>> RecommendAsync(
        RecommendationRequest request, ServingPairs pairs, Recommender recommender, IOptions<ApiOptions> options, CancellationToken cancellationToken)
    {
        if (QueryInput.K(request.K, out int k) is { } badK) return badK;
        if (QueryInput.Filter(request.Filter, out var filter) is { } badFilter) return badFilter;
        if (QueryInput.Ids("exclude_ids", request.ExcludeIds, options.Value.MaxIds, out var excluded) is { } badExcluded) return badExcluded;
        if (QueryInput.Ids("history", request.History, options.Value.MaxIds, out var history) is { } badHistory) return badHistory;
        if (request.UserId is null == request.History is null) return Refused.Field("user_id", "Expected either user_id or history.");
        if (request.UserId is not null && Id.Problem("user_id", request.UserId) is { } badUser) return Refused.Field("user_id", badUser + ".");

        using var pair = pairs.Enter();
        if (pair is null) return Refused.NotServing();
        var taste = request.UserId is null ? Recommender.TasteOf(history) : await recommender.TasteOfAsync(new UserId(request.UserId), cancellationToken);
        var exclude = (request.ExcludeSeen ?? true) ? taste.Seen.Union(excluded) : excluded;
        var (items, popular) = await recommender.RecommendAsync(pair, taste, k, filter, exclude.ToHashSet(), request.Explain ?? false, cancellationToken);
        return TypedResults.Ok(new RankingAnswer(items, popular ? "popular" : null, pair.Identity));
    }

    public static async Task<Results<Ok<RankingAnswer>, ProblemHttpResult>> SimilarAsync(
        string id, int? k, HttpContext context, ServingPairs pairs, Recommender recommender, CancellationToken cancellationToken)
    {
        id = RouteId.Read(context, nameof(id), segmentsAfter: 1);
        if (Id.Problem("id", id) is { } badId) return Refused.Field("id", badId + ".");
        if (QueryInput.K(k, out int count) is { } badK) return badK;

        using var pair = pairs.Enter();
        if (pair is null) return Refused.NotServing();
        if (await recommender.FindAsync(pair, new ItemId(id), cancellationToken) is not { } item) return Refused.Unknown("item", id);
        var items = await recommender.SearchAsync(pair, item.Vector, count, ItemFilter.None.Without(new HashSet<ItemId> { item.Id }), cancellationToken);
        return TypedResults.Ok(new RankingAnswer(items, null, pair.Identity));
    }

    public static async Task<Results<Ok<RankingAnswer>, ProblemHttpResult>> SearchAsync(
        SearchRequest request, ServingPairs pairs, Recommender recommender, IOptions<ApiOptions> options, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(request.Text)) return Refused.Field("text", "text is missing or empty; expected what is looked for, in plain words.");
        if (request.Text.Length > options.Value.MaxTextLength)
            return Refused.Field("text", $"text has {request.Text.Length} characters; at most {options.Value.MaxTextLength} are allowed.");
        if (QueryInput.K(request.K, out int k) is { } badK) return badK;
        if (QueryInput.Filter(request.Filter, out var filter) is { } badFilter) return badFilter;

        using var pair = pairs.Enter();
        if (pair is null) return Refused.NotServing();
        var items = await recommender.SearchAsync(pair, pair.Embedder.EmbedQuery(request.Text), k, filter, cancellationToken);
        return TypedResults.Ok(new RankingAnswer(items, null, pair.Identity));
    }
}
