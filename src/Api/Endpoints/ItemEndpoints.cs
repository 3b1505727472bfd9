using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>The catalogue in. What was deleted or made unavailable is in no answer that begins after the acknowledgement.</summary>
internal static class ItemEndpoints
{
    public static void Map(IEndpointRouteBuilder v1)
    {
        v1.MapPut("/items/{id}", PutAsync).WithName("PutItem").WithTags("Items").RequireAuthorization(Scopes.Write)
            .WithExample("""{"title": "Gas stove, two burners", "description": "Runs on screw-on cartridges; folds flat.", "attributes": {"category": "stoves", "price": 49.9}, "available": true}""")
            .WithSummary("Describes an item; replaces what was known of it")
            .Accepts<ItemBody>("application/json")
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status413PayloadTooLarge);
        v1.MapPost("/items", PutManyAsync).WithName("PutItems").WithTags("Items").RequireAuthorization(Scopes.Write)
            .WithExample("""[{"item_id": "42", "title": "Gas stove, two burners", "attributes": {"category": "stoves"}}]""")
            .WithSummary("Describes many items; each gets its own verdict")
            .WithDescription("Body: an array of items, {\"items\": […]}, or application/x-ndjson with one a line; or CloudEvents 1.0: structured, batch, or binary (headers ce-…). Refused with 422 when none is acceptable.")
            .Accepts<IReadOnlyList<ItemBody>>("application/json", "application/x-ndjson", "application/cloudevents+json", "application/cloudevents-batch+json")
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status413PayloadTooLarge, StatusCodes.Status422UnprocessableEntity);
        v1.MapGet("/items/{id}", GetAsync).WithName("GetItem").WithTags("Items").RequireAuthorization(Scopes.Read)
            .WithSummary("What the index in service holds of an item")
            .WithDescription("As answers see it: not found before it is indexed, and none that was deleted or is not available.")
            .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status503ServiceUnavailable);
        v1.MapDelete("/items/{id}", DeleteAsync).WithName("DeleteItem").WithTags("Items").RequireAuthorization(Scopes.Write)
            .WithSummary("Deletes an item")
            .Refuses(StatusCodes.Status400BadRequest);
    }

    public static async Task<Results<Accepted<ItemAnswer>, ProblemHttpResult>> PutAsync(
        string id, HttpContext context, IEventLog log, EventReading reading, HiddenItems hidden, ServingPairs pairs, CancellationToken cancellationToken)
    {
        if (RouteId.Read(context, ref id) is { } badId) return badId;
        if (WithId(await BatchBody.ReadAllAsync(context.Request, cancellationToken), id, out byte[] body) is { } refusal) return refusal;

        var incoming = reading.IncomingItem(body, headers: null);
        if (incoming.Record is null) return Refused.Event(incoming.Rejection!);
        await AppendAsync([incoming], log, hidden, cancellationToken);
        return TypedResults.Accepted((string?)null, new ItemAnswer(id, "accepted", pairs.Identity));
    }

    public static async Task<Results<Ok<IndexedItemAnswer>, ProblemHttpResult>> GetAsync(string id, HttpContext context, ServingPairs pairs, Recommender recommender, CancellationToken cancellationToken)
    {
        if (RouteId.Read(context, ref id) is { } badId) return badId;
        using var pair = pairs.Enter();
        if (pair is null) return Refused.NotServing();
        return await recommender.FindAsync(pair, new ItemId(id), cancellationToken) is { } item
            ? TypedResults.Ok(new IndexedItemAnswer(id, item.Title, item.Attributes, pair.Identity))
            : Refused.Unknown("item", id);
    }

    public static async Task<Results<Accepted<BatchAnswer>, ProblemHttpResult>> PutManyAsync(
        HttpRequest request, IEventLog log, EventReading reading, HiddenItems hidden, ServingPairs pairs, IOptions<ApiOptions> options, CancellationToken cancellationToken)
    {
        var headers = CloudEventRequest.Headers(request, out bool single);
        var (parts, refusal) = await BatchBody.ReadAsync(request, "items", single, options.Value.MaxBatch, cancellationToken);
        if (refusal is not null) return refusal;

        var incoming = parts.Select(part => reading.IncomingItem(part, headers)).ToList();
        var verdicts = incoming.Select((part, index) => Verdicts.Of(index, part)).ToList();
        var accepted = incoming.Where(part => part.Record is not null).ToList();
        if (accepted.Count > 0) await AppendAsync(accepted, log, hidden, cancellationToken);
        return Verdicts.Answer(verdicts, pairs.Identity);
    }

    public static async Task<Results<Accepted<ItemAnswer>, ProblemHttpResult>> DeleteAsync(
        string id, HttpContext context, IEventLog log, HiddenItems hidden, ServingPairs pairs, CancellationToken cancellationToken)
    {
        if (RouteId.Read(context, ref id) is { } badId) return badId;
        var positions = await log.AppendAsync(Topics.Items, [new LogRecord(Encoding.UTF8.GetBytes(id), null)], cancellationToken);
        hidden.Note(new ItemId(id), hidden: true, positions[0]);
        return TypedResults.Accepted((string?)null, new ItemAnswer(id, "deleted", pairs.Identity));
    }

    private static async Task AppendAsync(IReadOnlyList<Incoming> items, IEventLog log, HiddenItems hidden, CancellationToken cancellationToken)
    {
        var positions = await log.AppendAsync(Topics.Items, [.. items.Select(item => item.Record!.Value)], cancellationToken);
        hidden.Note([.. items.Zip(positions, (item, at) => (item.Item!.ItemId, !item.Item.Available, at))]);
    }

    /// <summary>The id stands in the path; in the body it may be left out.</summary>
    private static ProblemHttpResult? WithId(byte[] given, string id, out byte[] body)
    {
        body = [];
        JsonNode? node;
        try
        {
            node = JsonNode.Parse(given);
        }
        catch (JsonException failure)
        {
            return Refused.Field("body", $"The body is not JSON (line {failure.LineNumber + 1}, byte {failure.BytePositionInLine + 1}); expected an item as an object.");
        }
        if (node is not JsonObject item) return Refused.Field("body", "The body is not an object; expected an item as an object with title and, as wanted, description, attributes, available.");
        try
        {
            if (item["item_id"] is { } named && !(named.GetValueKind() == JsonValueKind.String && named.GetValue<string>() == id))
                return Refused.Field("item_id", $"item_id is {named.ToJsonString()}; expected the id of the path, or none.");
            item["item_id"] = id;
            body = JsonSerializer.SerializeToUtf8Bytes(item);
        }
        catch (ArgumentException)
        {
            return Refused.Field("body", "The body names a property twice; expected each once.");
        }
        catch (Exception invalid) when (invalid is JsonException or InvalidOperationException)
        {
            return Refused.Field("body", "The body holds text that is no valid Unicode; expected UTF-8, and surrogates in pairs."); // seen only when text is asked for
        }
        return null;
    }
}

/// <summary>One item as it is sent; for the OpenAPI document.</summary>
/// <param name="Attributes">Values are strings, numbers, booleans or arrays of strings.</param>
/// <param name="Available">False: kept, but in no answer. Default true.</param>
/// <param name="UpdatedAt">ISO 8601 or milliseconds since 1970; absent: now.</param>
internal sealed record ItemBody(
    string? ItemId, string Title, string? Description, Dictionary<string, JsonElement>? Attributes, string? ImageUrl, bool? Available, string? UpdatedAt);
