using System.Diagnostics;
using System.Threading.Channels;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Trainings asked for and not yet ended: one runs at a time, in order, and each can be cancelled until it has ended.</summary>
internal sealed class TrainingQueue
{
    /// <summary>Requests are a few bytes; more than this waiting means that somebody asks in a loop, and has to wait.</summary>
    private const int Capacity = 64;

    private readonly Channel<QueuedTraining> _requests = Channel.CreateBounded<QueuedTraining>(Capacity);
    private readonly Dictionary<Guid, CancellationTokenSource> _pending = [];
    /// <summary>Cancelled before the request came: the two messages may overtake each other.</summary>
    private readonly HashSet<Guid> _cancelledBefore = [];
    private readonly Lock _lock = new();

    /// <summary>Nothing waits and nothing runs.</summary>
    public bool Idle
    {
        get { lock (_lock) return _pending.Count == 0; }
    }

    /// <summary>A request that waits already is not added again.</summary>
    public async ValueTask AddAsync(TrainEncoder request, CancellationToken cancellationToken)
    {
        var cancellation = new CancellationTokenSource();
        lock (_lock)
        {
            if (!_pending.TryAdd(request.TrainingId, cancellation)) return;
            if (_cancelledBefore.Remove(request.TrainingId)) cancellation.Cancel();
        }
        var training = new QueuedTraining(request, cancellation.Token, Activity.Current?.Context ?? default);
        try
        {
            await _requests.Writer.WriteAsync(training, cancellationToken);
        }
        catch
        {
            Done(training);
            throw;
        }
    }

    public IAsyncEnumerable<QueuedTraining> ReadAllAsync(CancellationToken cancellationToken) => _requests.Reader.ReadAllAsync(cancellationToken);

    /// <summary>Ends the training, be it waiting, running or still on its way here.</summary>
    public void Cancel(Guid trainingId)
    {
        lock (_lock)
        {
            if (_pending.TryGetValue(trainingId, out CancellationTokenSource? cancellation)) cancellation.Cancel();
            else _cancelledBefore.Add(trainingId);
        }
    }

    /// <summary>The training has come to its end.</summary>
    public void Done(QueuedTraining training)
    {
        lock (_lock)
        {
            if (_pending.Remove(training.Request.TrainingId, out CancellationTokenSource? cancellation)) cancellation.Dispose();
        }
    }
}

/// <param name="Cancelled">Somebody asks to end this training.</param>
/// <param name="Trace">Of whoever asked for it.</param>
internal sealed record QueuedTraining(TrainEncoder Request, CancellationToken Cancelled, ActivityContext Trace = default);
