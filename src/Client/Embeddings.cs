namespace BeeFormer.Streaming.Client;

internal sealed record EmbeddingRequest(IReadOnlyList<string>? Texts = null, IReadOnlyList<string>? ItemIds = null, string? UserId = null);

/// <summary>Vectors of length 1; those with the same fingerprint compare by their dot product.</summary>
/// <param name="List">One a text or item, in their order.</param>
public sealed record Embeddings([property: System.Text.Json.Serialization.JsonPropertyName("embeddings")] IReadOnlyList<Embedding> List) : Answer;

/// <param name="Index">Place in the request, from 0.</param>
/// <param name="Vector">Null: there is none.</param>
/// <param name="ItemId">Of an item's.</param>
/// <param name="UserId">Of a user's.</param>
/// <param name="Reason">Why there is none: <c>unknown</c> or <c>hidden</c>.</param>
public sealed record Embedding(int Index, IReadOnlyList<float>? Vector = null, string? ItemId = null, string? UserId = null, string? Reason = null);
