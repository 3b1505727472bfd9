using System.Threading.Channels;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Trainings asked for and not yet begun: one runs at a time, in order.</summary>
internal sealed class TrainingQueue
{
    /// <summary>Requests are a few bytes; more than this waiting means that somebody asks in a loop, and has to wait.</summary>
    private const int Capacity = 64;

    private readonly Channel<TrainEncoder> _requests = Channel.CreateBounded<TrainEncoder>(Capacity);
    private int _pending;

    /// <summary>Nothing waits and nothing runs.</summary>
    public bool Idle => Volatile.Read(ref _pending) == 0;

    public async ValueTask AddAsync(TrainEncoder request, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _pending);
        try
        {
            await _requests.Writer.WriteAsync(request, cancellationToken);
        }
        catch
        {
            Interlocked.Decrement(ref _pending);
            throw;
        }
    }

    public IAsyncEnumerable<TrainEncoder> ReadAllAsync(CancellationToken cancellationToken) => _requests.Reader.ReadAllAsync(cancellationToken);

    /// <summary>The request that was read last has come to its end.</summary>
    public void Done() => Interlocked.Decrement(ref _pending);
}
