using System.Text.Json;
using System.Text.Json.Serialization;

namespace BeeFormer.Streaming.Client;

/// <summary>A training on what was collected until now.</summary>
public sealed record TrainingRequest
{
    /// <summary><c>head</c> (seconds to minutes) or <c>encoder</c> (fine-tuning). Null: head.</summary>
    public string? Tempo { get; init; }

    /// <summary>A policy file's text (YAML) for this training alone. Null: the server's own.</summary>
    public string? Policy { get; init; }
}

/// <param name="TrainingId">Ask for it.</param>
/// <param name="Tempo"><c>head</c> or <c>encoder</c>.</param>
public sealed record StartedTraining(Guid TrainingId, string Tempo) : Answer;

/// <param name="List">Those that wait, run or have ended, newest first, without metrics.</param>
public sealed record Trainings([property: JsonPropertyName("trainings")] IReadOnlyList<Training> List) : Answer;

/// <param name="TrainingId">Of the training.</param>
/// <param name="Tempo"><c>head</c> or <c>encoder</c>.</param>
/// <param name="Reason">What started it.</param>
/// <param name="State"><c>queued</c>, <c>running</c>, <c>published</c>, <c>refused</c>, <c>skipped</c>, <c>failed</c>, <c>cancelled</c> or <c>interrupted</c>.</param>
/// <param name="RequestedAt">UTC.</param>
/// <param name="StartedAt">Null: not yet.</param>
/// <param name="EndedAt">Null: not yet.</param>
/// <param name="Phase">What it does.</param>
/// <param name="Fraction">Of the phase, 0 to 1.</param>
/// <param name="Loss">The newest.</param>
/// <param name="Version">The published model.</param>
/// <param name="Decision">How it ended, in words.</param>
/// <param name="Metrics">What the gate saw; only where one training is asked for.</param>
/// <param name="ItemsPerSecond">Texts encoded or learned from, in the phase.</param>
/// <param name="EtaSeconds">Time until the phase ends.</param>
/// <param name="Continues">The interrupted training that this one goes on with.</param>
public sealed record Training(
    Guid TrainingId, string Tempo, string Reason, string State, DateTimeOffset RequestedAt, DateTimeOffset? StartedAt = null, DateTimeOffset? EndedAt = null,
    string? Phase = null, double? Fraction = null, double? Loss = null, string? Version = null, string? Decision = null, JsonElement? Metrics = null,
    double? ItemsPerSecond = null, double? EtaSeconds = null, Guid? Continues = null)
{
    /// <summary>Nothing more will happen to it.</summary>
    [JsonIgnore]
    public bool Ended => State is not ("queued" or "running");
}
