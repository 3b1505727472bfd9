namespace BeeFormer.Streaming.Contracts;

// Control messages say "something finished" or "please do"; the stores hold the truth, so a lost message delays and never harms.

/// <summary>Asks the trainer for a training on what the WindowStore holds now.</summary>
/// <param name="Tempo">Learn the head over cached encoder outputs, or fine-tune the encoder and then the head.</param>
/// <param name="Reason">Who asks: <c>interval</c>, <c>interactions</c>, <c>recall</c> (it has dropped), <c>manual</c>, <c>replay</c>, <c>demo</c>, <c>resume</c> (after an interruption).</param>
/// <param name="Policy">Policy file as text (YAML) for this training alone; null: the trainer's own.</param>
/// <param name="Continues">The training that was interrupted and goes on under this new id; null: it is one of its own.</param>
public sealed record TrainEncoder(Guid TrainingId, TrainingTempo Tempo, string Reason, string? Policy = null, Guid? Continues = null);

/// <summary>Asks the trainer to end a training that waits or runs; it then changes nothing. One that has ended stays as it is.</summary>
public sealed record CancelTraining(Guid TrainingId);

public enum TrainingTempo { Head, Encoder }

/// <param name="Fraction">Share of the phase that is done, 0 to 1.</param>
/// <param name="ItemsPerSecond">Texts encoded or learned from; null: not known, or not the phase's measure.</param>
/// <param name="EtaSeconds">Time until the phase ends, going on as until now; null: not known.</param>
public sealed record TrainingProgressed(Guid TrainingId, string Phase, double Fraction, double? Loss, double? ItemsPerSecond = null, double? EtaSeconds = null);

/// <summary>The gate let a model pass; <c>live</c> in the ModelStore names it.</summary>
public sealed record EncoderPublished(Guid TrainingId, ModelVersion Version, Fingerprint Fingerprint, string Decision);

/// <summary>The training ended without a new live model: refused by the gate, skipped, or failed. <paramref name="Decision"/> says why in plain words.</summary>
public sealed record EncoderRejected(Guid TrainingId, string Decision);

/// <summary>A collection is being built beside the one in service.</summary>
/// <param name="Done">Items that it holds.</param>
/// <param name="ItemsPerSecond">Since the build began or was taken up; null: not known.</param>
/// <param name="EtaSeconds">Time until all are in, going on as until now; null: not known.</param>
public sealed record ReindexProgressed(ModelVersion Version, string Collection, long Done, long Total, double? ItemsPerSecond = null, double? EtaSeconds = null);

/// <summary>Answers come from this pair from now on.</summary>
/// <param name="Generation">Grows by one with every switch of the index.</param>
public sealed record IndexSwitched(ModelVersion Version, Fingerprint Fingerprint, string Collection, long Generation);
