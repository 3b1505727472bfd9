using System.Text.Json;

namespace BeeFormer.Streaming.Client;

/// <summary>The whole description of an item; replaces what was known of it.</summary>
public sealed record Item
{
    /// <summary>1 to 512 bytes.</summary>
    public required string ItemId { get; init; }

    /// <summary>1 to 2,000 characters.</summary>
    public required string Title { get; init; }

    /// <summary>Up to 100,000 characters.</summary>
    public string? Description { get; init; }

    /// <summary>Up to 200; texts, numbers, booleans, lists of texts.</summary>
    public IReadOnlyDictionary<string, AttributeValue>? Attributes { get; init; }

    /// <summary>Of its picture.</summary>
    public string? ImageUrl { get; init; }

    /// <summary>False: kept, but in no answer.</summary>
    public bool Available { get; init; } = true;

    /// <summary>Null: when the server takes it.</summary>
    public DateTimeOffset? UpdatedAt { get; init; }
}

/// <param name="ItemId">As given.</param>
/// <param name="Title">As last indexed.</param>
/// <param name="Attributes">As last indexed; what filters ask for.</param>
public sealed record IndexedItem(string ItemId, string Title, IReadOnlyDictionary<string, JsonElement> Attributes) : Answer;

/// <param name="ItemId">As given.</param>
/// <param name="Status"><c>accepted</c> or <c>deleted</c>: durable, and no later answer contradicts it.</param>
public sealed record ItemResult(string ItemId, string Status) : Answer;
