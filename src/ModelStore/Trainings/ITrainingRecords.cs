using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.ModelStore;

/// <summary>What became of trainings, for those who look later or from another process. The newest are kept.</summary>
public interface ITrainingRecords
{
    /// <summary>Changes one record, or adds it, as nobody else does at the same time: in this process, another or on another machine.</summary>
    /// <param name="change">Told the record as it is (null: there is none), gives what it becomes (null: it stays as it is); called again where another was faster. The id and the time of the request stay.</param>
    /// <returns>The record as it is now.</returns>
    /// <exception cref="IOException">It could not be written.</exception>
    TrainingRecord? Change(Guid id, Func<TrainingRecord?, TrainingRecord?> change);

    /// <returns>Null when there is no such training, or its record was removed.</returns>
    TrainingRecord? Find(Guid id);

    /// <summary>Oldest first.</summary>
    IReadOnlyList<TrainingRecord> List();
}

/// <summary>A training from request to end. Frozen names on disk; may grow.</summary>
/// <param name="Tempo"><c>head</c> or <c>encoder</c>.</param>
/// <param name="Reason">Who asked: <c>interval</c>, <c>interactions</c>, <c>manual</c>, …</param>
/// <param name="Phase">What it is doing, or was doing last: <c>window</c>, <c>encode</c>, <c>train</c>, <c>evaluate</c>.</param>
/// <param name="Fraction">Share of the phase that is done, 0 to 1.</param>
/// <param name="ItemsPerSecond">Texts encoded or learned from, in the phase.</param>
/// <param name="EtaSeconds">Time until the phase ends, as it was last known.</param>
/// <param name="Continues">The interrupted training that this one goes on with.</param>
/// <param name="Version">The published model.</param>
/// <param name="Decision">Why it ended as it did, in plain words.</param>
/// <param name="Metrics">All numbers of the gate, if it came so far.</param>
/// <param name="Policy">The policy that it was asked for with, as text; null: the trainer's own.</param>
/// <param name="CancelRequested">Somebody asked to end it.</param>
/// <param name="Losses">How the loss went, thinned out to at most <see cref="TrainingRecord.MostLosses"/> points; null in records of older versions.</param>
public sealed record TrainingRecord(
    Guid Id, string Tempo, string Reason, TrainingState State, DateTimeOffset RequestedAt, DateTimeOffset? StartedAt = null, DateTimeOffset? EndedAt = null,
    string? Phase = null, double? Fraction = null, double? Loss = null, ModelVersion? Version = null, string? Decision = null, JsonObject? Metrics = null,
    double? ItemsPerSecond = null, double? EtaSeconds = null, Guid? Continues = null, IReadOnlyList<LossPoint>? Losses = null,
    string? Policy = null, bool CancelRequested = false)
{
    public const int MostLosses = 240;

    /// <summary>Trainings that may wait; who asks for more asks in a loop, and is refused.</summary>
    public const int MostQueued = 64;

    public bool Ended => State is not (TrainingState.Queued or TrainingState.Running);
}

/// <param name="Seconds">Since the training started.</param>
public readonly record struct LossPoint(double Seconds, double Loss);

/// <summary>Written in lower case.</summary>
public enum TrainingState
{
    Queued,
    Running,
    /// <summary>The gate let the model pass.</summary>
    Published,
    /// <summary>The gate kept what is live.</summary>
    Refused,
    /// <summary>There was nothing to train or to compare.</summary>
    Skipped,
    Failed,
    Cancelled,
    /// <summary>The process ended before the training did.</summary>
    Interrupted,
}
