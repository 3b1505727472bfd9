using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>The vectors that answers are made of, for those who rank on their own.</summary>
internal static class EmbeddingEndpoints
{
    public static void Map(IEndpointRouteBuilder v1) =>
        v1.MapPost("/embeddings", EmbedAsync).WithName("Embed").WithTags("Embeddings").RequireAuthorization(Scopes.Read)
            .WithExample("""{"texts": ["gas stove", "tent for two"]}""")
            .WithSummary("Vectors of texts, of items or of a user, with the fingerprint of the model that made them")
            .WithDescription("Vectors have length 1; those with the same fingerprint compare by their dot product.")
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status413PayloadTooLarge, StatusCodes.Status503ServiceUnavailable);

    public static async Task<Results<Ok<EmbeddingsAnswer>, ProblemHttpResult>> EmbedAsync(
        EmbeddingRequest request, ServingPairs pairs, Recommender recommender, IVectorIndex index, IOptions<RankingOptions> ranking, IOptions<ApiOptions> options, CancellationToken cancellationToken)
    {
        if (new object?[] { request.Texts, request.ItemIds, request.UserId }.Count(given => given is not null) != 1) return Refused.Field("texts", "Expected exactly one of texts, item_ids and user_id.");
        int most = options.Value.MaxQueries;
        using var pair = pairs.Enter();
        if (pair is null) return Refused.NotServing();

        if (request.Texts is { } texts)
        {
            if (texts.Length is 0) return Refused.Field("texts", "texts is empty; expected at least one.");
            if (texts.Length > most) return Refused.TooMany("texts", texts.Length, most);
            for (int n = 0; n < texts.Length; n++)
                if (QueryInput.Text($"texts[{n}]", texts[n], options.Value.MaxTextLength) is { } badText) return badText;
            var embedded = new List<EmbeddingDescription>(texts.Length);
            foreach (string? text in texts)
            {
                cancellationToken.ThrowIfCancellationRequested();
                embedded.Add(new EmbeddingDescription(embedded.Count, pair.Embedder.EmbedQuery(text!)));
            }
            return Answer(embedded, pair);
        }

        if (request.ItemIds is { } given)
        {
            if (given.Length is 0) return Refused.Field("item_ids", "item_ids is empty; expected at least one.");
            if (QueryInput.Ids("item_ids", given, most, out var ids) is { } badIds) return badIds;
            var stored = (await index.FetchAsync(pair.Collection, [.. ids.Distinct()], cancellationToken)).ToDictionary(item => item.Id);
            return Answer([.. ids.Select((id, n) =>
                pair.Hides(id) || stored.TryGetValue(id, out var known) && !known.Available ? new EmbeddingDescription(n, null, id.Value, Reason: "hidden")
                : stored.TryGetValue(id, out var item) ? new EmbeddingDescription(n, item.Vector, id.Value)
                : new EmbeddingDescription(n, null, id.Value, Reason: "unknown"))], pair);
        }

        if (Id.Problem("user_id", request.UserId) is { } badUser) return Refused.Field("user_id", badUser + ".");
        var taste = await recommender.TasteOfAsync(new UserId(request.UserId!), ranking.Value, cancellationToken);
        var vectors = (await index.FetchAsync(pair.Collection, [.. taste.Items.Select(item => item.Item)], cancellationToken)).ToDictionary(item => item.Id, item => item.Vector);
        float[]? user = UserVector.Sum(taste.Items, item => vectors.TryGetValue(item, out float[]? vector) ? vector : (ReadOnlyMemory<float>?)null);
        return Answer([new EmbeddingDescription(0, user, UserId: request.UserId, Reason: user is null ? "unknown" : null)], pair);
    }

    private static Ok<EmbeddingsAnswer> Answer(IReadOnlyList<EmbeddingDescription> embeddings, PairLease pair) => TypedResults.Ok(new EmbeddingsAnswer(embeddings, pair.Identity));
}
