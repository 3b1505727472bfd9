using System.Text.Json;
using System.Text.Json.Serialization;
using BeeFormer.Streaming.ModelStore;

namespace BeeFormer.Streaming.Api;

/// <summary>Every answer names the pair in service; null before the first one serves.</summary>
internal abstract record Answer([property: JsonIgnore] ServedBy? By)
{
    [JsonPropertyOrder(1)] public string? ModelVersion => By?.Version.Value;
    [JsonPropertyOrder(1)] public string? Fingerprint => By?.Fingerprint.Value;
    [JsonPropertyOrder(1)] public long? IndexGeneration => By?.Generation;
}

/// <param name="Score">Cosine similarity; of recommendations the <see cref="Blend"/>, which is the cosine where the model alone ranks; of popular items their decayed number of interactions.</param>
/// <param name="Because">With <c>explain</c>: the item of the history nearest to this one.</param>
/// <param name="Parts">With <c>explain</c>: what the score and the place come from.</param>
internal sealed record RankedItem(
    string ItemId, string Title, double Score,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Because? Because,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ScoreParts? Parts = null);

internal sealed record Because(string ItemId, double Similarity);

/// <summary>What is known of an item for a user, before weights. What does not count, being without a weight, is absent.</summary>
/// <param name="Cosine">Between user and item.</param>
/// <param name="Popularity">Share of the most popular item's popularity, 0 to 1.</param>
/// <param name="Own">What the user has bought before, 0 to 1; -1: it rests.</param>
/// <param name="Recency">How new the item is, 0 to 1.</param>
/// <param name="DiversityPenalty">What the item's place cost for being like an item above it.</param>
/// <param name="Exploration">It has a place that is kept for little known items.</param>
internal sealed record ScoreParts(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Cosine = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Popularity = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Own = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Recency = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? DiversityPenalty = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? Exploration = null);

/// <param name="Fallback">popular where nothing is known of the user that the index could use.</param>
/// <param name="Cursor">Give it back for the next page; absent: this is the last.</param>
/// <param name="Variant">Of recommendations, where variants are configured: the one that answered.</param>
internal sealed record RankingAnswer(
    IReadOnlyList<RankedItem> Items,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Fallback,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Cursor,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Variant, ServedBy? By) : Answer(By);

/// <summary>Answers to several requests, all from one pair.</summary>
internal sealed record RankingsAnswer(IReadOnlyList<RankingVerdict> Results, ServedBy? By) : Answer(By);

/// <param name="Index">Place in the request, from 0.</param>
/// <param name="Status">answered or refused.</param>
/// <param name="Reason">Where refused: the code of the problem.</param>
/// <param name="Message">Where refused: names the field and what was expected.</param>
/// <param name="Variant">Of recommendations, where variants are configured: the one that answered.</param>
/// <param name="ModelVersion">Where it is not that of the whole answer: the model of the variant.</param>
internal sealed record RankingVerdict(
    int Index, string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Message = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<RankedItem>? Items = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Fallback = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Cursor = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Variant = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ModelVersion = null);

/// <param name="Items">The candidates, best first, with the score that a recommendation has; with a fallback, their popularity as a share of the most popular item's.</param>
/// <param name="LeftOut">Candidates that cannot be recommended.</param>
/// <param name="Fallback">popular where nothing is known of the user that the index could use.</param>
/// <param name="Variant">Where variants are configured: the one that answered.</param>
internal sealed record ScoreAnswer(
    IReadOnlyList<RankedItem> Items, IReadOnlyList<LeftOut> LeftOut, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Fallback,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Variant, ServedBy? By) : Answer(By);

/// <param name="Reason">unknown: not in the index; hidden: deleted or not available.</param>
internal sealed record LeftOut(string ItemId, string Reason);

/// <summary>An item as the index holds it.</summary>
/// <param name="Attributes">What filters ask for.</param>
internal sealed record IndexedItemAnswer(string ItemId, string Title, IReadOnlyDictionary<string, JsonElement> Attributes, ServedBy? By) : Answer(By);

/// <summary>Vectors of length 1, comparable with others of the same fingerprint.</summary>
internal sealed record EmbeddingsAnswer(IReadOnlyList<EmbeddingDescription> Embeddings, ServedBy? By) : Answer(By);

/// <param name="Index">Place in the request, from 0.</param>
/// <param name="Vector">Null: there is none.</param>
/// <param name="Reason">Why there is none: unknown or hidden.</param>
internal sealed record EmbeddingDescription(
    int Index, float[]? Vector,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ItemId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? UserId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason = null);

/// <summary>What became of a batch: what was accepted is durable.</summary>
internal sealed record BatchAnswer(int Accepted, int Duplicate, int Refused, IReadOnlyList<Verdict> Verdicts, ServedBy? By) : Answer(By);

/// <param name="Index">Place in the request, from 0.</param>
/// <param name="Status">accepted, duplicate (its event_id was seen: nothing to do) or refused.</param>
/// <param name="Reason">Stable code: invalid_json, missing_field, invalid_field, …</param>
/// <param name="Message">Names the field and what was expected.</param>
internal sealed record Verdict(
    int Index, string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Message = null);

/// <summary>The change is durable; no later answer contradicts it.</summary>
internal sealed record ItemAnswer(string ItemId, string Status, ServedBy? By) : Answer(By);

/// <summary>The request is durable; the user is removed from every store.</summary>
internal sealed record UserAnswer(string UserId, string Status, ServedBy? By) : Answer(By);

/// <param name="Live">The version that the model store names; it serves once its collection is built.</param>
/// <param name="Previous">Live before it; the way back.</param>
/// <param name="Damaged">Versions that are not whole; the others work.</param>
internal sealed record ModelsAnswer(
    string? Live, string? Previous, IReadOnlyList<ModelDescription> Models, IReadOnlyList<DamageDescription> Damaged, IReadOnlyList<RefusalDescription> Refusals, ServedBy? By) : Answer(By);

internal sealed record DamageDescription(string Version, string Problem);

/// <param name="Problem">What is wrong with the version; null: every byte is as published.</param>
/// <param name="Model">Null when the manifest cannot be read.</param>
/// <param name="Lineage">The version, the one it was learned from, and so on to the first.</param>
internal sealed record ModelAnswer(
    string Version, bool Live, string? Problem, ModelDescription? Model, IReadOnlyList<FileDescription> Files, IReadOnlyList<AncestorDescription> Lineage, ServedBy? By) : Answer(By);

internal sealed record FileDescription(string Path, long Bytes, string Sha256);

internal sealed record AncestorDescription(string Version, string? Parent, DateTimeOffset PublishedAt, string Fingerprint, string Decision)
{
    public static AncestorDescription Of(ModelManifest manifest) =>
        new(manifest.Version.Value, manifest.Model.Parent?.Value, manifest.PublishedAt, manifest.Model.Fingerprint.Value, manifest.Model.Decision);
}

/// <param name="Added">False: the store had this model already.</param>
internal sealed record ImportAnswer(string Version, bool Added, ServedBy? By) : Answer(By);

internal sealed record ModelDescription(
    string Version, string Fingerprint, DateTimeOffset PublishedAt, int Dimension, string? Parent, string? WindowHash, JsonElement HyperParameters, JsonElement Metrics, string Decision, string? ImportedFrom,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ErasedUsers? ErasedUsers)
{
    public static ModelDescription Of(ModelManifest manifest, IModelStore models) => new(
        manifest.Version.Value, manifest.Model.Fingerprint.Value, manifest.PublishedAt, manifest.Model.Dimension, manifest.Model.Parent?.Value, manifest.Model.WindowHash,
        JsonSerializer.SerializeToElement(manifest.Model.HyperParameters), JsonSerializer.SerializeToElement(manifest.Model.Metrics), manifest.Model.Decision,
        manifest.Origin?.Version.Value, ErasedUsers.Of(models.Erasures(manifest.Version)));
}

/// <summary>Users erased since whose interactions the model, or one that it was learned from, could see.</summary>
/// <param name="Inherited">How many of them only an ancestor could see.</param>
/// <param name="Rows">Their interactions that were removed.</param>
/// <param name="NewestAt">When the last of them asked.</param>
internal sealed record ErasedUsers(int Users, int Inherited, long Rows, DateTimeOffset NewestAt)
{
    /// <returns>Null: none.</returns>
    public static ErasedUsers? Of(IReadOnlyList<ErasureMark> marks) =>
        marks.Count == 0 ? null : new ErasedUsers(marks.Count, marks.Count(mark => mark.InheritedFrom is not null), marks.Sum(mark => mark.Rows), marks.Max(mark => mark.At));
}

internal sealed record RefusalDescription(DateTimeOffset At, string? Incumbent, string? WindowHash, JsonElement Metrics, string Decision)
{
    public static RefusalDescription Of(Refusal refusal) =>
        new(refusal.At, refusal.Incumbent?.Value, refusal.WindowHash, JsonSerializer.SerializeToElement(refusal.Metrics), refusal.Decision);
}

/// <param name="Activated">Now <c>live</c>; it serves once its collection is built or found.</param>
/// <param name="Before">Live until now.</param>
internal sealed record ActivationAnswer(string Activated, string? Before, ServedBy? By) : Answer(By);

internal sealed record TrainingAnswer(Guid TrainingId, string Tempo, ServedBy? By) : Answer(By);

internal sealed record TrainingsAnswer(IReadOnlyList<TrainingDescription> Trainings, ServedBy? By) : Answer(By);

/// <param name="State"><c>queued</c>, <c>running</c>, <c>published</c>, <c>refused</c>, <c>skipped</c>, <c>failed</c>, <c>cancelled</c> or <c>interrupted</c>.</param>
/// <param name="Version">The published model.</param>
/// <param name="Metrics">What the gate saw; only where one training is asked for.</param>
/// <param name="Losses">Pairs of seconds since the start and loss; only where one training is asked for.</param>
/// <param name="ItemsPerSecond">Texts encoded or learned from, in the phase.</param>
/// <param name="EtaSeconds">Time until the phase ends.</param>
/// <param name="Continues">The interrupted training that this one goes on with.</param>
internal sealed record TrainingDescription(
    Guid TrainingId, string Tempo, string Reason, string State, DateTimeOffset RequestedAt, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt,
    string? Phase, double? Fraction, double? Loss, string? Version, string? Decision, JsonElement? Metrics, double? ItemsPerSecond, double? EtaSeconds, Guid? Continues,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<double[]>? Losses)
{
    public static TrainingDescription Of(TrainingRecord record) => new(
        record.Id, record.Tempo, record.Reason, Name(record.State), record.RequestedAt, record.StartedAt, record.EndedAt, record.Phase, record.Fraction, record.Loss,
        record.Version?.Value, record.Decision, record.Metrics is { } metrics ? JsonSerializer.SerializeToElement(metrics) : null,
        record.ItemsPerSecond, record.EtaSeconds, record.Continues,
        record.Losses is { } losses ? [.. losses.Select(point => new[] { point.Seconds, point.Loss })] : null);

    public static string Name(TrainingState state) => JsonNamingPolicy.SnakeCaseLower.ConvertName(state.ToString());
}
