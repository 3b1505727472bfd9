using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>Interactions in, users forgotten.</summary>
internal static class EventEndpoints
{
    public static void Map(IEndpointRouteBuilder v1)
    {
        v1.MapPost("/events", AppendAsync).WithName("AppendEvents").WithTags("Events").RequireAuthorization(Scopes.Write)
            .WithExample("""[{"event_id": "e-1", "user_id": "ann", "item_id": "42", "type": "purchase", "value": 1, "timestamp": "2024-05-01T12:00:00Z"}]""")
            .WithSummary("Takes interactions; each gets its own verdict, accepted ones are durable when the answer comes")
            .WithDescription("Body: an array of interactions, {\"events\": […]}, or application/x-ndjson with one a line; or CloudEvents 1.0: structured, batch, or binary (headers ce-…); gzip and br are understood. Refused with 422 when none is acceptable. An event whose event_id stands in the request before, or was taken lately, is a duplicate; one that is not recognised is stored again and counts once all the same.")
            .Accepts<IReadOnlyList<InteractionBody>>("application/json", "application/x-ndjson", "application/cloudevents+json", "application/cloudevents-batch+json")
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status413PayloadTooLarge, StatusCodes.Status422UnprocessableEntity);
        v1.MapDelete("/users/{id}", ForgetAsync).WithName("ForgetUser").WithTags("Events").RequireAuthorization(Scopes.Write)
            .WithSummary("Forgets a user everywhere: the request is durable when the answer comes, /v1/users/{id}/erasure tells when it is done")
            .Refuses(StatusCodes.Status400BadRequest);
    }

    public static async Task<Results<Accepted<BatchAnswer>, ProblemHttpResult>> AppendAsync(
        HttpRequest request, IEventLog log, EventReading reading, RecentEvents recent, ServingPairs pairs, IOptions<ApiOptions> options, CancellationToken cancellationToken)
    {
        var headers = CloudEventRequest.Headers(request, out bool single);
        var (parts, refusal) = await BatchBody.ReadAsync(request, "events", single, options.Value.MaxBatch, cancellationToken);
        if (refusal is not null) return refusal;

        var verdicts = new List<Verdict>(parts.Count);
        var records = new List<LogRecord>(parts.Count);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var part in parts)
        {
            var incoming = reading.IncomingInteraction(part, headers);
            bool repeated = incoming.EventId is { } id && (recent.Contains(id) || !ids.Add(id));
            if (incoming.Record is { } record && !repeated) records.Add(record);
            verdicts.Add(repeated ? new Verdict(verdicts.Count, Verdicts.Duplicate) : Verdicts.Of(verdicts.Count, incoming));
        }
        if (records.Count > 0) await log.AppendAsync(Topics.Interactions, records, cancellationToken);
        recent.Add(ids);
        return Verdicts.Answer(verdicts, pairs.Identity);
    }

    public static async Task<Results<Accepted<UserAnswer>, ProblemHttpResult>> ForgetAsync(
        string id, HttpContext context, IEventLog log, ServingPairs pairs, CancellationToken cancellationToken)
    {
        if (RouteId.Read(context, ref id) is { } badId) return badId;
        await log.AppendAsync(Topics.Interactions, [new LogRecord(Encoding.UTF8.GetBytes(id), null)], cancellationToken);
        return TypedResults.Accepted((string?)null, new UserAnswer(id, "forgotten", pairs.Identity));
    }
}

/// <summary>One interaction as it is sent; for the OpenAPI document.</summary>
/// <param name="EventId">Events with the same id count once.</param>
/// <param name="Timestamp">ISO 8601 or milliseconds since 1970; absent: now.</param>
internal sealed record InteractionBody(string? EventId, string UserId, string ItemId, string Type, double? Value, string? Timestamp, string? SessionId);
