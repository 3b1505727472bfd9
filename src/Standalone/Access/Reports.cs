using System.Text.Json;

namespace BeeFormer.Streaming.Standalone.Access;

// What the commands print and give as JSON: the answers of the API, by the same names, whoever gave them.

internal sealed record ModelsReport(string? Live, string? Previous, IReadOnlyList<ModelRow> Models, IReadOnlyList<DamagedRow> Damaged);

internal sealed record ModelRow(
    string Version, string Fingerprint, DateTimeOffset PublishedAt, int Dimension, string? Parent, string? WindowHash, JsonElement HyperParameters, JsonElement Metrics, string Decision, string? ImportedFrom,
    ErasedUsersRow? ErasedUsers = null);

/// <param name="Inherited">How many of the users only an ancestor could see.</param>
internal sealed record ErasedUsersRow(int Users, int Inherited, long Rows, DateTimeOffset NewestAt);

internal sealed record DamagedRow(string Version, string Problem);

internal sealed record ModelReport(string Version, bool Live, string? Problem, ModelRow? Model, IReadOnlyList<FileRow> Files, IReadOnlyList<AncestorRow> Lineage);

internal sealed record FileRow(string Path, long Bytes, string Sha256);

internal sealed record AncestorRow(string Version, string? Parent, DateTimeOffset PublishedAt, string Fingerprint, string Decision);

internal sealed record ActivationReport(string Activated, string? Before);

internal sealed record ImportReport(string Version, bool Added);

internal sealed record TrainingsReport(IReadOnlyList<TrainingRow> Trainings);

internal sealed record TrainingRow(
    Guid TrainingId, string Tempo, string Reason, string State, DateTimeOffset RequestedAt, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt,
    string? Phase, double? Fraction, double? Loss, string? Version, string? Decision, JsonElement? Metrics, double? ItemsPerSecond = null, double? EtaSeconds = null, Guid? Continues = null)
{
    public bool Ended => State is not ("queued" or "running");
}
