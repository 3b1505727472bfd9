using System.Collections.Concurrent;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Keeps the records of trainings up to date. A record that cannot be written never ends a training.</summary>
internal sealed class TrainingJournal(ITrainingRecords records, TimeProvider clock, ILogger<TrainingJournal> logger)
{
    /// <summary>Progress within a phase is written at most this often.</summary>
    private static readonly TimeSpan SaveInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Guid, (TrainingRecord Record, long Saved)> _open = [];
    /// <summary>Ends that could not be written.</summary>
    private readonly ConcurrentDictionary<Guid, TrainingRecord> _ended = [];

    /// <summary>What runs by its record and not here ends now: its process died, or lost its lease. To be called by whoever holds the lease and runs nothing.</summary>
    /// <returns>Trainings as they were while they ran.</returns>
    /// <exception cref="IOException">Not all could be.</exception>
    public IReadOnlyList<TrainingRecord> CloseInterrupted()
    {
        foreach (TrainingRecord ended in _ended.Values) WriteEnd(ended);
        return records.CloseInterrupted(clock.GetUtcNow());
    }

    /// <returns>The training is ours to run; false: it runs, has ended or was cancelled.</returns>
    /// <exception cref="IOException">The record could not be written.</exception>
    public bool TryStart(Guid id)
    {
        TrainingRecord? started = null;
        DateTimeOffset now = clock.GetUtcNow();
        records.Change(id, known => started = known is { State: TrainingState.Queued, CancelRequested: false } ? known with { State = TrainingState.Running, StartedAt = now } : null);
        if (started is not null) _open[id] = (started, clock.GetTimestamp());
        return started is not null;
    }

    public void Progressed(TrainingProgressed progress)
    {
        if (!_open.TryGetValue(progress.TrainingId, out var open)) return;
        TrainingRecord record = open.Record with
        {
            Phase = progress.Phase, Fraction = progress.Fraction, Loss = progress.Loss ?? open.Record.Loss, ItemsPerSecond = progress.ItemsPerSecond, EtaSeconds = progress.EtaSeconds,
            Losses = WithLoss(open.Record, progress.Loss),
        };
        bool save = record.Phase != open.Record.Phase || clock.GetElapsedTime(open.Saved) >= SaveInterval;
        _open[progress.TrainingId] = (record, save ? clock.GetTimestamp() : open.Saved);
        // Nobody else's word is overwritten: whoever asked to cancel, and who closed the record of one that lost its lease.
        if (save) Guard(() => records.Change(record.Id, known => known is { State: TrainingState.Running } ? record with { CancelRequested = known.CancelRequested } : null));
    }

    /// <summary>Of too many points every second one goes: the curve keeps its ends and its shape, and stays short.</summary>
    private IReadOnlyList<LossPoint>? WithLoss(TrainingRecord record, double? loss)
    {
        if (loss is not { } value || !double.IsFinite(value) || record.StartedAt is not { } started) return record.Losses;
        LossPoint[] points = [.. record.Losses ?? [], new LossPoint((clock.GetUtcNow() - started).TotalSeconds, value)];
        return points.Length <= TrainingRecord.MostLosses ? points : [.. points.Where((_, n) => (points.Length - 1 - n) % 2 == 0)];
    }

    public void Ended(TrainEncoder request, TrainingState state, string decision, TrainingOutcome? outcome = null)
    {
        DateTimeOffset now = clock.GetUtcNow();
        TrainingRecord record = _open.TryRemove(request.TrainingId, out var open) ? open.Record
            : new(request.TrainingId, LastTraining.Name(request.Tempo), request.Reason, TrainingState.Queued, now, Continues: request.Continues, Policy: request.Policy);
        WriteEnd(_ended[request.TrainingId] = record with { State = state, EndedAt = now, EtaSeconds = null, Decision = decision, Version = outcome?.Published?.Version, Metrics = outcome?.Metrics });
    }

    private void WriteEnd(TrainingRecord ended) => Guard(() =>
    {
        records.Change(ended.Id, known => known is { Ended: true } ? null : ended with { RequestedAt = known?.RequestedAt ?? ended.RequestedAt, CancelRequested = known?.CancelRequested ?? false });
        _ended.TryRemove(ended.Id, out _);
    });

    private void Guard(Action write)
    {
        try
        {
            write();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            logger.LogWarning(failure, "The record of a training could not be written");
        }
    }
}
