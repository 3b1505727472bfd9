using System.Collections.Concurrent;
using System.Diagnostics;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.ServiceDefaults;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Trainings asked for and not yet ended, as their records tell: whatever becomes of messages and processes, none is lost and none runs twice. What is told here only hurries whoever looks.</summary>
internal sealed class TrainingQueue(ITrainingRecords records, TimeProvider clock)
{
    /// <summary>Traces, and cancellations of unknown trainings, that are remembered: both are small courtesies, and messages may come without end.</summary>
    private const int MostRemembered = 1_000;

    private readonly WakeSignal _told = new();
    private readonly ConcurrentDictionary<Guid, ActivityContext> _traces = [];
    /// <summary>Cancelled before the request came: the two messages may overtake each other.</summary>
    private readonly ConcurrentDictionary<Guid, bool> _cancelledBefore = [];

    /// <summary>Nothing waits and nothing runs.</summary>
    public bool Idle => records.List().All(record => record.Ended);

    /// <summary>A request that has a record already, whatever became of it, is not added again.</summary>
    /// <returns>Why it was refused: too many wait; null: it was not.</returns>
    public string? Add(TrainEncoder request)
    {
        Guid id = request.TrainingId;
        bool full = records.Find(id) is null && records.List().Count(record => record.State == TrainingState.Queued) >= TrainingRecord.MostQueued, added = false;
        string? refusal = full ? $"{TrainingRecord.MostQueued} trainings wait already; this one was not added." : null;
        DateTimeOffset now = clock.GetUtcNow();
        TrainingRecord? record = records.Change(id, known => (added = known is null)
            ? new TrainingRecord(id, LastTraining.Name(request.Tempo), request.Reason, full ? TrainingState.Skipped : TrainingState.Queued, now, EndedAt: full ? now : null, Decision: refusal,
                Continues: request.Continues, Policy: request.Policy, CancelRequested: _cancelledBefore.ContainsKey(id))
            : null);
        _cancelledBefore.TryRemove(id, out _);
        if (record is { Ended: false } && Activity.Current is { } asking) Remember(_traces, id, asking.Context);
        _told.Wake();
        return added ? refusal : null;
    }

    /// <summary>Asks to end the training, be it waiting, running or still on its way here.</summary>
    public void Cancel(Guid id)
    {
        Remember(_cancelledBefore, id, true);
        if (records.Change(id, known => known is { Ended: false, CancelRequested: false } ? known with { CancelRequested = true } : null) is not null) _cancelledBefore.TryRemove(id, out _);
        _told.Wake();
    }

    /// <summary>What was cancelled first, since that takes no time; then what was interrupted; then as it was asked for.</summary>
    /// <returns>Null: nothing waits.</returns>
    public TrainingRecord? Next() => records.List().Where(record => record.State == TrainingState.Queued)
        .OrderBy(record => record.CancelRequested ? 0 : record.Continues is not null ? 1 : 2).ThenBy(record => record.RequestedAt).FirstOrDefault();

    public bool IsCancelled(Guid id) => records.Find(id) is { CancelRequested: true };

    /// <summary>Of whoever asked for the training, if that was told here.</summary>
    public ActivityContext TakeTrace(Guid id) => _traces.TryRemove(id, out ActivityContext trace) ? trace : default;

    /// <summary>Waits until something is told, at most so long. One waiter.</summary>
    public Task WaitAsync(TimeSpan longest, CancellationToken cancellationToken) => _told.WaitAsync(longest, clock, cancellationToken);

    private static void Remember<T>(ConcurrentDictionary<Guid, T> remembered, Guid id, T value)
    {
        if (remembered.Count >= MostRemembered) remembered.Clear();
        remembered[id] = value;
    }
}
