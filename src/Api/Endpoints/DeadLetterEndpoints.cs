using System.Text.Json.Serialization;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.DeadLetters;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>What could not be read: listed, shown, brought back.</summary>
internal static class DeadLetterEndpoints
{
    private const int DefaultLimit = 100, MaxLimit = 1000;

    public static void Map(IEndpointRouteBuilder v1)
    {
        v1.MapGet("/dead-letters", ListAsync).WithName("ListDeadLetters").WithTags("Dead letters").RequireAuthorization(Scopes.Admin)
            .WithSummary("Messages that could not be read, in order of topic, partition and offset")
            .WithDescription("reason and topic narrow the list; after takes the id of the last letter seen; limit is 1 to 1000, by default 100.")
            .Refuses(StatusCodes.Status400BadRequest);
        v1.MapGet("/dead-letters/{topic}/{partition:int}/{offset:long}", ShowAsync).WithName("ShowDeadLetter").WithTags("Dead letters").RequireAuthorization(Scopes.Admin)
            .WithSummary("One of them with its key, bytes and headers as they came")
            .Refuses(StatusCodes.Status404NotFound);
        v1.MapPost("/dead-letters/replay", ReplayAsync).WithName("ReplayDeadLetters").WithTags("Dead letters").RequireAuthorization(Scopes.Admin)
            .WithExample("""{"reason": "future_timestamp", "dry_run": true}""")
            .WithSummary("Brings messages back to their topics, as they were; says of each that stays why")
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status413PayloadTooLarge);
    }

    public static async Task<Results<Ok<DeadLettersAnswer>, ProblemHttpResult>> ListAsync(
        string? reason, string? topic, int? limit, string? after, DeadLetterLog letters, ServingPairs pairs, CancellationToken cancellationToken)
    {
        if (limit is < 1 or > MaxLimit) return Refused.Field("limit", $"limit is {limit}; expected 1 to {MaxLimit}.");
        LogPlace? behind = null;
        if (after is not null)
        {
            if (!LogPlace.TryParse(after, out var place)) return BadId("after", after);
            behind = place;
        }
        var page = await letters.ListAsync(new DeadLetterFilter(reason, topic), behind, limit ?? DefaultLimit, cancellationToken);
        return TypedResults.Ok(new DeadLettersAnswer(page.Total, page.Matching, [.. page.Letters.Select(DeadLetterDescription.Of)], page.More ? page.Letters[^1].Id.ToString() : null, pairs.Identity));
    }

    public static async Task<Results<Ok<DeadLetterAnswer>, ProblemHttpResult>> ShowAsync(
        string topic, int partition, long offset, DeadLetterLog letters, ServingPairs pairs, CancellationToken cancellationToken)
    {
        var id = new LogPlace(topic, partition, offset);
        return await letters.FindAsync(id, cancellationToken) is { } letter
            ? TypedResults.Ok(DeadLetterAnswer.Of(letter, pairs.Identity))
            : Refused.Unknown("dead letter", id.ToString());
    }

    public static async Task<Results<Ok<ReplayAnswer>, ProblemHttpResult>> ReplayAsync(
        DeadLetterReplayRequest? request, DeadLetterLog letters, ServingPairs pairs, IOptions<ApiOptions> options, CancellationToken cancellationToken)
    {
        if (Chosen(request, options.Value.MaxIds, out var filter) is { } refusal) return refusal;
        var report = await letters.ReplayAsync(filter, request?.Force ?? false, request?.DryRun ?? false, cancellationToken);
        return TypedResults.Ok(ReplayAnswer.Of(report, pairs.Identity));
    }

    private static ProblemHttpResult? Chosen(DeadLetterReplayRequest? request, int mostIds, out DeadLetterFilter filter)
    {
        filter = new DeadLetterFilter(request?.Reason, request?.Topic);
        bool narrowed = request?.Reason is not null || request?.Topic is not null;
        if (request?.Ids is not { } ids)
        {
            if (request?.All == true && narrowed) return Refused.Field("all", "all is true beside reason or topic; expected one or the other.");
            return request?.All == true || narrowed ? null : Refused.Field("ids", "Nothing says which letters to replay; expected ids, a reason, a topic, or all: true.");
        }
        if (request.All == true || narrowed) return Refused.Field("ids", "ids stand beside reason, topic or all; expected one or the other.");
        if (ids.Length is 0) return Refused.Field("ids", "ids is empty; expected at least one.");
        if (ids.Length > mostIds) return Refused.TooMany("ids", ids.Length, mostIds);
        var places = new HashSet<LogPlace>();
        for (int n = 0; n < ids.Length; n++)
        {
            if (!LogPlace.TryParse(ids[n], out var place)) return BadId($"ids[{n}]", ids[n]);
            places.Add(place);
        }
        filter = new DeadLetterFilter(Ids: places);
        return null;
    }

    private static ProblemHttpResult BadId(string field, string? id) => Refused.Field(field, $"{field} is {id ?? "null"}; expected topic/partition/offset, such as {Topics.Interactions}/0/17.");
}

/// <summary>Which letters to bring back: <paramref name="Ids"/>, or those with a reason or of a topic, or all.</summary>
/// <param name="Ids">As the list names them.</param>
/// <param name="Force">Also those that are still unreadable or were superseded. Default false.</param>
/// <param name="DryRun">Only say what would be done. Default false.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record DeadLetterReplayRequest(string?[]? Ids = null, string? Reason = null, string? Topic = null, bool? All = null, bool? Force = null, bool? DryRun = null);
