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
        v1.MapPost("/events", AppendAsync).WithName("AppendEvents").WithTags("Events")
            .WithSummary("Takes interactions; each gets its own verdict, accepted ones are durable when the answer comes")
            .WithDescription("Body: an array of interactions, {\"events\": […]}, or application/x-ndjson with one a line; or CloudEvents 1.0: structured, batch, or binary (headers ce-…). Refused with 422 when none is acceptable.")
            .Accepts<IReadOnlyList<InteractionBody>>("application/json", "application/x-ndjson", "application/cloudevents+json", "application/cloudevents-batch+json")
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status413PayloadTooLarge).ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        v1.MapDelete("/users/{id}", ForgetAsync).WithName("ForgetUser").WithTags("Events")
            .WithSummary("Forgets a user everywhere: the request is durable when the answer comes, /v1/users/{id}/erasure tells when it is done")
            .ProducesProblem(StatusCodes.Status400BadRequest);
    }

    public static async Task<Results<Accepted<BatchAnswer>, ProblemHttpResult>> AppendAsync(
        HttpRequest request, IEventLog log, EventReading reading, ServingPairs pairs, IOptions<ApiOptions> options, CancellationToken cancellationToken)
    {
        var headers = CloudEventRequest.Headers(request, out bool single);
        var (parts, refusal) = await BatchBody.ReadAsync(request, "events", single, options.Value.MaxBatch, cancellationToken);
        if (refusal is not null) return refusal;

        var verdicts = new List<Verdict>(parts.Count);
        var records = new List<LogRecord>(parts.Count);
        foreach (var part in parts)
        {
            var incoming = reading.IncomingInteraction(part, headers);
            if (incoming.Record is { } record) records.Add(record);
            verdicts.Add(Verdicts.Of(verdicts.Count, incoming));
        }
        if (records.Count > 0) await log.AppendAsync(Topics.Interactions, records, cancellationToken);
        return Verdicts.Answer(verdicts, records.Count, pairs.Identity);
    }

    public static async Task<Results<Accepted<UserAnswer>, ProblemHttpResult>> ForgetAsync(
        string id, HttpContext context, IEventLog log, ServingPairs pairs, CancellationToken cancellationToken)
    {
        id = RouteId.Read(context, nameof(id));
        if (Id.Problem("id", id) is { } badId) return Refused.Field("id", badId + ".");
        await log.AppendAsync(Topics.Interactions, [new LogRecord(Encoding.UTF8.GetBytes(id), null)], cancellationToken);
        return TypedResults.Accepted((string?)null, new UserAnswer(id, "forgotten", pairs.Identity));
    }
}

/// <summary>One interaction as it is sent; for the OpenAPI document.</summary>
/// <param name="EventId">Events with the same id count once.</param>
/// <param name="Timestamp">ISO 8601 or milliseconds since 1970; absent: now.</param>
internal sealed record InteractionBody(string? EventId, string UserId, string ItemId, string Type, double? Value, string? Timestamp, string? SessionId);
