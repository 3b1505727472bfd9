using BeeFormer.Streaming.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>Given items, ranked for a user.</summary>
internal static class ScoreEndpoints
{
    public static void Map(IEndpointRouteBuilder v1) =>
        v1.MapPost("/score", ScoreAsync).WithName("Score").WithTags("Ranking").RequireAuthorization(Scopes.Read)
            .WithExample("""{"user_id": "ann", "candidates": ["42", "43", "44"]}""")
            .WithSummary("Ranks given items for a user or a history, and names those that are unknown or hidden")
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status413PayloadTooLarge, StatusCodes.Status503ServiceUnavailable);

    public static async Task<Results<Ok<ScoreAnswer>, ProblemHttpResult>> ScoreAsync(
        ScoreRequest request, PinnedPairs pairs, Recommender recommender, CandidateScoring scoring, Variants variants, IOptions<ApiOptions> options, CancellationToken cancellationToken)
    {
        int most = options.Value.MaxIds;
        if (QueryInput.Taste(request.UserId, request.History, most, out var history) is { } badTaste) return badTaste;
        if (request.Candidates is not { Length: > 0 }) return Refused.Field("candidates", "candidates is missing or empty; expected at least one item id.");
        if (QueryInput.Ids("candidates", request.Candidates, most, out var candidates) is { } badCandidates) return badCandidates;

        using var pair = pairs.Enter(request.UserId);
        if (pair is null) return Refused.NotServing();
        var variant = variants.For(request.UserId);
        var taste = request.UserId is null ? recommender.TasteOf(history) : await recommender.TasteOfAsync(new UserId(request.UserId), variant.Ranking, cancellationToken);
        var (items, leftOut, popular) = await scoring.ScoreAsync(pair, taste, variant.Ranking, [.. candidates.Distinct()], cancellationToken);
        return TypedResults.Ok(new ScoreAnswer(items, leftOut, popular ? "popular" : null, variant.Name, pair.Identity));
    }
}
