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

    /// <summary>Trainings of a process that died end now: nobody else trains on this folder.</summary>
    public void CloseInterrupted() => Guard(() => records.CloseInterrupted(clock.GetUtcNow()));

    /// <summary>Whoever asked may have written the record already.</summary>
    public void Queued(TrainEncoder request) => Guard(() =>
    {
        if (records.Find(request.TrainingId) is null) records.Save(New(request));
    });

    public void Started(TrainEncoder request) => Change(request, record => record with { State = TrainingState.Running, StartedAt = clock.GetUtcNow() });

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
        if (save) Guard(() => records.Save(record));
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
        Change(request, record => record with { State = state, EndedAt = clock.GetUtcNow(), EtaSeconds = null, Decision = decision, Version = outcome?.Published?.Version, Metrics = outcome?.Metrics });
        _open.TryRemove(request.TrainingId, out _);
    }

    private void Change(TrainEncoder request, Func<TrainingRecord, TrainingRecord> change) => Guard(() =>
    {
        TrainingRecord record = change(_open.TryGetValue(request.TrainingId, out var open) ? open.Record : records.Find(request.TrainingId) ?? New(request));
        _open[request.TrainingId] = (record, clock.GetTimestamp());
        records.Save(record);
    });

    private TrainingRecord New(TrainEncoder request) => new(request.TrainingId, LastTraining.Name(request.Tempo), request.Reason, TrainingState.Queued, clock.GetUtcNow(), Continues: request.Continues);

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
