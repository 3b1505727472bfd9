using BeeFormer.Streaming.Trainer.Wire;
using Grpc.Core;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>The place at a worker, which one training has at a time: until it leaves, or has not called for a while.</summary>
/// <param name="folder">For the encoder's files and for what its frozen layers give.</param>
internal sealed class WorkerSeat(WorkersOptions options, WorkerIdentity identity, string folder, int threads, TimeProvider clock) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly ComputeThread _thread = new(threads);
    private Guid _holder;
    private WorkerSession? _session;
    private long _calledAt;
    private int _calls;

    public ComputeThread Thread => _thread;

    private long Now => clock.GetTimestamp();

    public long MaxModelBytes => (long)options.MaxModelMb << 20;

    /// <summary>Takes the place, or keeps it. Disposal tells that the call has ended.</summary>
    /// <exception cref="RpcException">Another training has it.</exception>
    public IDisposable Claim(Guid session)
    {
        lock (_gate)
        {
            if (_holder != Guid.Empty && _holder != session && (_calls > 0 || clock.GetElapsedTime(_calledAt) < options.Idle))
                throw new RpcException(new Status(StatusCode.ResourceExhausted, "This worker serves another training."));
            _holder = session;
            _calls++;
            return new Call(this);
        }
    }

    /// <exception cref="RpcException">It has not joined, or is no more.</exception>
    public WorkerSession Of(Guid session) =>
        _session is { } current && current.Id == session ? current : throw new RpcException(new Status(StatusCode.FailedPrecondition, "This session has not joined; join again."));

    public async Task<WorkerSession> SeatAsync(Guid session, Opening opening, Func<string, Task> receive)
    {
        if (opening.Protocol != TrainingWorkers.Protocol) throw new InvalidDataException($"protocol is {opening.Protocol}; this worker speaks {TrainingWorkers.Protocol}.");
        if (opening.Trainer == identity.Id) throw new InvalidDataException("trainer is this very process; a Trainer is no worker of its own.");
        string files = Path.Combine(folder, $"joining-{Guid.NewGuid():N}");
        try
        {
            await receive(files).ConfigureAwait(false);
            return await _thread.RunAsync(() =>
            {
                _session?.Dispose();
                _session = null;
                return _session = WorkerSession.Load(session, opening, files, Path.Combine(folder, "lower"), TrainingDevices.Of(new TrainingPolicy { Device = options.Device })[0], (long)options.GraphMemoryMb << 20);
            }).ConfigureAwait(false);
        }
        finally
        {
            if (Directory.Exists(files)) Directory.Delete(files, recursive: true);
        }
    }

    public async Task LeaveAsync(Guid session)
    {
        await _thread.RunAsync(() =>
        {
            if (_session?.Id != session) return;
            _session.Dispose();
            _session = null;
        }).ConfigureAwait(false);
        lock (_gate)
            if (_holder == session) _holder = Guid.Empty;
    }

    public void Dispose()
    {
        _ = _thread.RunAsync(() => _session?.Dispose());
        _thread.Dispose();
    }

    private sealed class Call(WorkerSeat seat) : IDisposable
    {
        public void Dispose()
        {
            lock (seat._gate)
            {
                seat._calls--;
                seat._calledAt = seat.Now;
            }
        }
    }
}

/// <summary>Which process this is, so that a Trainer among its own workers is noticed.</summary>
internal sealed class WorkerIdentity
{
    public string Id { get; } = Guid.NewGuid().ToString();
}
