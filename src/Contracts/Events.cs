using System.Text.Json;

namespace BeeFormer.Streaming.Contracts;

/// <summary>One thing that a user did with an item.</summary>
/// <param name="EventId">Given by the producer; events with the same id count once. Null: the position in the log names it.</param>
/// <param name="Type"><c>view</c>, <c>click</c>, <c>add_to_cart</c>, <c>purchase</c>, <c>rating</c> or a name of the shop's own.</param>
/// <param name="Value">Stars of a rating, quantity of a purchase; finite.</param>
/// <param name="TimestampMs">Event time, UTC milliseconds since 1970.</param>
public sealed record InteractionEvent(
    string? EventId, UserId UserId, ItemId ItemId, string Type, double? Value, long TimestampMs, string? SessionId);

/// <summary>The whole description of an item as of now; replaces what was known.</summary>
/// <param name="Attributes">Each value is a string, a number, a boolean or an array of strings.</param>
/// <param name="Available">False: kept, but in no answer.</param>
/// <param name="UpdatedAtMs">UTC milliseconds since 1970.</param>
public sealed record ItemEvent(
    ItemId ItemId, string Title, string? Description, IReadOnlyDictionary<string, JsonElement> Attributes, string? ImageUrl, bool Available, long UpdatedAtMs);

/// <summary>What could not be read, with all that is needed to repair and replay it.</summary>
/// <param name="Reason">Stable code: <c>invalid_json</c>, <c>missing_field</c>, <c>invalid_field</c>, <c>key_mismatch</c>, <c>future_timestamp</c>.</param>
/// <param name="Message">A sentence that names the field and what was expected.</param>
/// <param name="Headers">Null: none, or a letter of the time before letters kept them.</param>
public sealed record DeadLetter(
    string Reason, string Message, string Topic, int Partition, long Offset, byte[]? Key, byte[]? Value, long TimestampMs, IReadOnlyList<DeadLetterHeader>? Headers = null);

public readonly record struct DeadLetterHeader(string Name, byte[] Value);

/// <summary>Names of the log's topics.</summary>
public static class Topics
{
    /// <summary>Key: user id. A null value means: forget this user.</summary>
    public const string Interactions = "interactions";
    /// <summary>Key: item id. A null value deletes the item. Compacted.</summary>
    public const string Items = "items";
    /// <summary>Key: where the original stood first, <c>topic/partition/offset</c>. A null value: it went back to its topic. Not compacted.</summary>
    public const string DeadLetters = "dead-letters";
}
