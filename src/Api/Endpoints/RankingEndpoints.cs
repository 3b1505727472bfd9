using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace BeeFormer.Streaming.Api;

/// <summary>Items for a user, for an item, for a text; one request or several at once.</summary>
internal static class RankingEndpoints
{
    /// <summary>Requests of a batch that are answered at the same time.</summary>
    private const int AtOnce = 4;

    public static void Map(IEndpointRouteBuilder v1)
    {
        var ranking = v1.MapGroup("").WithTags("Ranking").RequireAuthorization(Scopes.Read)
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status413PayloadTooLarge, StatusCodes.Status503ServiceUnavailable);
        ranking.MapPost("/recommendations", RecommendAsync).WithName("Recommend")
            .WithExample("""{"user_id": "ann", "k": 10, "filter": {"category": ["tents", "stoves"]}, "explain": true, "diversity": 0.2, "max_per": {"brand": 2}, "exploration": 0.1}""")
            .WithSummary("Items that a user, or a history of items, is likely to want next")
            .WithDescription("Ranked by the model, by popularity, by what the user has bought and by what is new, as configured; diversity, max_per and exploration say what the list shall be as a whole. Unknown users get popular items, marked \"fallback\": \"popular\".")
            .Refuses(StatusCodes.Status410Gone);
        ranking.MapPost("/recommendations/batch", RecommendManyAsync).WithName("RecommendBatch")
            .WithExample("""{"requests": [{"user_id": "ann", "k": 5}, {"history": ["42", "43"]}]}""")
            .WithSummary("Several such requests, all answered by the same model, but for variants that have one of their own; each gets its own verdict")
            .Accepts<QueryBatch<RecommendationRequest>>("application/json");
        ranking.MapGet("/items/{id}/similar", SimilarAsync).WithName("SimilarItems")
            .WithSummary("Items most similar to an item")
            .WithDescription("filter is the JSON of a filter; exclude_ids may be repeated. The same as POST, where long filters have room.")
            .Refuses(StatusCodes.Status404NotFound, StatusCodes.Status410Gone);
        ranking.MapPost("/items/{id}/similar", SimilarByBodyAsync).WithName("SimilarItemsByBody")
            .WithExample("""{"k": 10, "filter": {"must": [{"attribute": "price", "lt": 100}], "must_not": [{"attribute": "brand", "any_of": ["Acme"]}]}}""")
            .WithSummary("Items most similar to an item, with the rest of the request in the body")
            .Refuses(StatusCodes.Status404NotFound, StatusCodes.Status410Gone);
        ranking.MapPost("/search", SearchAsync).WithName("Search")
            .WithExample("""{"text": "something to cook on outdoors", "k": 10, "filter": {"must": [{"attribute": "released", "after": "2024-01-01T00:00:00Z"}]}}""")
            .WithSummary("Items that match a text by meaning")
            .Refuses(StatusCodes.Status410Gone);
        ranking.MapPost("/search/batch", SearchManyAsync).WithName("SearchBatch")
            .WithExample("""{"requests": [{"text": "gas stove"}, {"text": "tent for two", "k": 3}]}""")
            .WithSummary("Several searches, all answered by the same model; each gets its own verdict")
            .Accepts<QueryBatch<SearchRequest>>("application/json");
    }

    public static async Task<Results<Ok<RankingAnswer>, ProblemHttpResult>> RecommendAsync(
        RecommendationRequest request, PinnedPairs pairs, RankingQueries queries, CancellationToken cancellationToken)
    {
        using var pair = pairs.Enter(request.UserId);
        return pair is null ? Refused.NotServing() : await queries.RecommendAsync(pair, request, cancellationToken);
    }

    public static Task<Results<Ok<RankingsAnswer>, ProblemHttpResult>> RecommendManyAsync(
        QueryBatch<JsonElement> batch, ServingPairs pairs, PinnedPairs pinned, RankingQueries queries, IOptions<ApiOptions> options, IOptions<JsonOptions> json, CancellationToken cancellationToken) =>
        ManyAsync<RecommendationRequest>(batch, pairs, async (pair, request, token) =>
        {
            using var own = pinned.EnterOwn(request.UserId);
            return await queries.RecommendAsync(own ?? pair, request, token);
        }, options.Value.MaxQueries, json.Value.SerializerOptions, cancellationToken);

    public static Task<Results<Ok<RankingAnswer>, ProblemHttpResult>> SimilarAsync(
        string id, int? k, string? filter, [FromQuery(Name = "exclude_ids")] string[]? excludeIds, string? cursor, HttpContext context, ServingPairs pairs, RankingQueries queries, CancellationToken cancellationToken)
    {
        JsonElement? read = null;
        try
        {
            if (filter is not null) read = JsonElement.Parse(filter);
        }
        catch (JsonException)
        {
            return Task.FromResult<Results<Ok<RankingAnswer>, ProblemHttpResult>>(Refused.Field("filter", "filter is no JSON; expected a filter as an object."));
        }
        return SimilarByBodyAsync(id, new SimilarRequest(k, read, excludeIds is { Length: > 0 } ? excludeIds : null, cursor), context, pairs, queries, cancellationToken);
    }

    public static async Task<Results<Ok<RankingAnswer>, ProblemHttpResult>> SimilarByBodyAsync(
        string id, SimilarRequest request, HttpContext context, ServingPairs pairs, RankingQueries queries, CancellationToken cancellationToken)
    {
        if (RouteId.Read(context, ref id, segmentsAfter: 1) is { } badId) return badId;
        using var pair = pairs.Enter();
        return pair is null ? Refused.NotServing() : await queries.SimilarAsync(pair, new ItemId(id), request, cancellationToken);
    }

    public static async Task<Results<Ok<RankingAnswer>, ProblemHttpResult>> SearchAsync(SearchRequest request, ServingPairs pairs, RankingQueries queries, CancellationToken cancellationToken)
    {
        using var pair = pairs.Enter();
        return pair is null ? Refused.NotServing() : await queries.SearchAsync(pair, request, cancellationToken);
    }

    public static Task<Results<Ok<RankingsAnswer>, ProblemHttpResult>> SearchManyAsync(
        QueryBatch<JsonElement> batch, ServingPairs pairs, RankingQueries queries, IOptions<ApiOptions> options, IOptions<JsonOptions> json, CancellationToken cancellationToken) =>
        ManyAsync<SearchRequest>(batch, pairs, queries.SearchAsync, options.Value.MaxQueries, json.Value.SerializerOptions, cancellationToken);

    /// <summary>One pair for all of them; what is wrong with one is said of that one.</summary>
    private static async Task<Results<Ok<RankingsAnswer>, ProblemHttpResult>> ManyAsync<T>(
        QueryBatch<JsonElement> batch, ServingPairs pairs, Func<PairLease, T, CancellationToken, Task<Results<Ok<RankingAnswer>, ProblemHttpResult>>> answer, int most, JsonSerializerOptions json, CancellationToken cancellationToken)
    {
        if (batch.Requests is not { Count: > 0 } requests) return Refused.Field("requests", "requests is missing or empty; expected an array of at least one request.");
        if (requests.Count > most) return Refused.TooMany("requests", requests.Count, most);
        using var pair = pairs.Enter();
        if (pair is null) return Refused.NotServing();

        var results = new RankingVerdict[requests.Count];
        await Parallel.ForAsync(0, requests.Count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (n, token) =>
        {
            ProblemDetails? problem;
            try
            {
                var request = requests[n].Deserialize<T>(json) ?? throw new JsonException();
                IResult result = (await answer(pair, request, token)).Result;
                if (result is Ok<RankingAnswer> { Value: { } ranking })
                {
                    results[n] = new RankingVerdict(n, "answered", Items: ranking.Items, Fallback: ranking.Fallback, Cursor: ranking.Cursor, Variant: ranking.Variant, ModelVersion: ranking.By == pair.Identity ? null : ranking.ModelVersion);
                    return;
                }
                problem = ((ProblemHttpResult)result).ProblemDetails;
            }
            catch (JsonException invalid)
            {
                problem = Problems.InvalidJson(invalid);
            }
            results[n] = new RankingVerdict(n, Verdicts.Refused, (string)problem.Extensions["code"]!, problem.Detail);
        });
        return TypedResults.Ok(new RankingsAnswer(results, pair.Identity));
    }
}
