using System.Text.Json.Serialization;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>Two models side by side.</summary>
internal static class CompareEndpoints
{
    public static void Map(IEndpointRouteBuilder v1) => v1.MapPost("/compare", CompareAsync).WithName("CompareModels").WithExample("""{"text": "something to cook on in the woods", "k": 5}""").RequireAuthorization(Scopes.Admin).WithTags("Models")
        .WithSummary("Answers one question by two models, each by its own vectors")
        .WithDescription("The model alone ranks: no popularity, no purchases. Both models need a collection in the index, which keeps those of the live model and of the one before it. A text makes a model that does not serve be loaded for the question, one at a time.")
        .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status409Conflict);

    public static async Task<Results<Ok<CompareAnswer>, ProblemHttpResult>> CompareAsync(
        CompareRequest request, ModelComparison comparison, IModelStore models, ServingPairs pairs, IOptions<ApiOptions> options, CancellationToken cancellationToken)
    {
        if (QueryInput.K(request.K, out int k) is { } badK) return badK;
        if (Query(request, options.Value, out var query) is { } badQuery) return badQuery;
        if (Versions(request.Versions, models, out var versions) is { } badVersions) return badVersions;

        if (pairs.Identity is null) return Refused.NotServing();

        var rankings = new List<ModelRanking>();
        foreach (var version in versions)
        {
            try
            {
                if (await comparison.RankAsync(version, query, k, cancellationToken) is not { } ranking)
                    return Refused.Conflict($"The index holds no collection of model {version}; it keeps those of the live model and of the one before it. GET /v1/pipeline names them.");
                rankings.Add(ranking);
            }
            catch (TimeoutException late)
            {
                return Refused.Problem(StatusCodes.Status503ServiceUnavailable, "unavailable", late.Message);
            }
            catch (InvalidDataException damaged)
            {
                return Refused.Conflict(damaged.Message);
            }
        }
        int shared = rankings[0].Items.Select(item => item.ItemId).Intersect(rankings[1].Items.Select(item => item.ItemId)).Count();
        return TypedResults.Ok(new CompareAnswer(rankings, shared, pairs.Identity));
    }

    private static ProblemHttpResult? Query(CompareRequest request, ApiOptions options, out ComparedQuery query)
    {
        query = new ComparedQuery(null, null, []);
        if (new object?[] { request.Text, request.ItemId, request.UserId, request.History }.Count(given => given is not null) != 1)
            return Refused.Field("text", "Expected one of text, item_id, user_id and history.");
        if (request.Text is { } text)
        {
            if (string.IsNullOrWhiteSpace(text)) return Refused.Field("text", "text is empty; expected what is looked for, in plain words.");
            if (text.Length > options.MaxTextLength) return Refused.Field("text", $"text has {text.Length} characters; at most {options.MaxTextLength} are allowed.");
            query = new ComparedQuery(text, null, []);
            return null;
        }
        if (request.UserId is { } user)
        {
            query = new ComparedQuery(null, new UserId(user), []);
            return Id.Problem("user_id", user) is { } badUser ? Refused.Field("user_id", badUser + ".") : null;
        }
        if (request.ItemId is { } item && Id.Problem("item_id", item) is { } badItem) return Refused.Field("item_id", badItem + ".");
        if (QueryInput.Ids("history", request.History ?? [request.ItemId], options.MaxIds, out var items) is { } badHistory) return badHistory;
        query = new ComparedQuery(null, null, items);
        return null;
    }

    private static ProblemHttpResult? Versions(string?[]? given, IModelStore models, out IReadOnlyList<ModelVersion> versions)
    {
        versions = [];
        if (given is null)
        {
            if (models is not { Previous: { } previous, Live: { } live }) return Refused.Conflict("There is no model before the live one; expected versions with two models.");
            versions = [previous, live];
            return null;
        }
        if (given is not [{ } first, { } second] || first == second) return Refused.Field("versions", "Expected two different model versions.");
        var known = models.List().Select(manifest => manifest.Version.Value).ToHashSet();
        if (Array.Find(given, version => !known.Contains(version!)) is { } unknown) return Refused.Unknown("model", unknown);
        versions = [new ModelVersion(first), new ModelVersion(second)];
        return null;
    }
}

/// <summary>One question: <paramref name="Text"/>, <paramref name="ItemId"/>, <paramref name="UserId"/> or <paramref name="History"/>.</summary>
/// <param name="Versions">Two models. Default: the one before the live one, and the live one.</param>
/// <param name="K">Results wanted of each, 1 to 1000. Default 10.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record CompareRequest(string? Text = null, string? ItemId = null, string? UserId = null, string?[]? History = null, string?[]? Versions = null, int? K = null);

/// <param name="Rankings">In the order of the versions asked for.</param>
/// <param name="Shared">Items in both.</param>
internal sealed record CompareAnswer(IReadOnlyList<ModelRanking> Rankings, int Shared, ServedBy? By) : Answer(By);
