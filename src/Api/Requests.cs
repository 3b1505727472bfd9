using System.Text.Json;
using System.Text.Json.Serialization;

namespace BeeFormer.Streaming.Api;

/// <param name="UserId">Whose profile is used; this or history.</param>
/// <param name="History">Item ids that stand for the user, the newest last.</param>
/// <param name="K">Results wanted, 1 to 1000. Default 10.</param>
/// <param name="Filter">What the items must be: attribute → value or array of values, or the long form with must, should and must_not.</param>
/// <param name="ExcludeSeen">Leave out the items of the history. Default true.</param>
/// <param name="ExcludeIds">Item ids that must not be in the answer.</param>
/// <param name="Explain">Name beside each result the item of the history nearest to it and what its score and place come from. Default false.</param>
/// <param name="Cursor">Of the page before; the rest of the request stays as it was, only k may differ.</param>
/// <param name="Diversity">How much items count for being unlike those above them, 0 to 1. Default as configured.</param>
/// <param name="MaxPer">Attribute → how many items of each of its values the list may hold, all pages together, 1 to 1000. Default as configured; {}: no bounds.</param>
/// <param name="Exploration">Share of the places that is kept for little known items, 0 to 0.5. Default as configured.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record RecommendationRequest(
    string? UserId = null, string?[]? History = null, int? K = null, JsonElement? Filter = null, bool? ExcludeSeen = null, string?[]? ExcludeIds = null, bool? Explain = null, string? Cursor = null,
    double? Diversity = null, IReadOnlyDictionary<string, int>? MaxPer = null, double? Exploration = null);

/// <param name="K">Results wanted, 1 to 1000. Default 10.</param>
/// <param name="Filter">What the items must be: attribute → value or array of values, or the long form with must, should and must_not.</param>
/// <param name="ExcludeIds">Item ids that must not be in the answer.</param>
/// <param name="Cursor">Of the page before; the rest of the request stays as it was, only k may differ.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record SimilarRequest(int? K = null, JsonElement? Filter = null, string?[]? ExcludeIds = null, string? Cursor = null);

/// <param name="Text">What is looked for, in plain words.</param>
/// <param name="K">Results wanted, 1 to 1000. Default 10.</param>
/// <param name="Filter">What the items must be: attribute → value or array of values, or the long form with must, should and must_not.</param>
/// <param name="ExcludeIds">Item ids that must not be in the answer.</param>
/// <param name="Cursor">Of the page before; the rest of the request stays as it was, only k may differ.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record SearchRequest(string? Text = null, int? K = null, JsonElement? Filter = null, string?[]? ExcludeIds = null, string? Cursor = null);

/// <param name="Requests">Each as it would be sent alone; each gets its own verdict, and all are answered by the same model.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record QueryBatch<T>(IReadOnlyList<T>? Requests = null);

/// <param name="UserId">Whose profile is used; this or history.</param>
/// <param name="History">Item ids that stand for the user, the newest last.</param>
/// <param name="Candidates">Item ids to rank.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ScoreRequest(string? UserId = null, string?[]? History = null, string?[]? Candidates = null);

/// <summary>One of the three.</summary>
/// <param name="Texts">Embedded as searches are.</param>
/// <param name="ItemIds">The vectors that the index holds.</param>
/// <param name="UserId">The vector that recommendations are looked for with.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record EmbeddingRequest(string?[]? Texts = null, string?[]? ItemIds = null, string? UserId = null);

/// <param name="Tempo">head (seconds to minutes) or encoder (fine-tuning). Default head.</param>
/// <param name="Policy">A policy file's text (YAML) for this training alone. Default: the trainer's own.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record TrainingRequest(string? Tempo = null, string? Policy = null);
