using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.Trainer.Wire;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>The workers of one training. They come and go; who is ready when a step begins takes part in it.</summary>
internal sealed class TrainingWorkers : IDisposable
{
    public const int Protocol = 1;
    /// <summary>Shares of a step for each who takes part: more than one, so that the fast do more than the slow.</summary>
    private const int SharesEach = 2;

    private readonly RemoteWorker[] _workers;
    private readonly Opening _opening;
    private readonly string _folder;
    private byte[][] _weights;
    private long _version;

    /// <param name="encoder">As the training begins.</param>
    /// <param name="own">This machine's part.</param>
    public TrainingWorkers(WorkersOptions options, WorkerIdentity identity, SentenceEncoder encoder, int frozen, TrainingPolicy policy, ChunkEncoder own, TimeProvider clock, ILogger logger)
    {
        (Own, Shares) = (own, SharesOf(options));
        long bytes = TensorBytes.Length(own.Weights);
        _weights = TensorBytes.Room(bytes);
        _opening = new Opening
        {
            Protocol = Protocol,
            Trainer = identity.Id,
            Fingerprint = encoder.Fingerprint.Value,
            FrozenLayers = frozen,
            Bfloat16 = policy.Arithmetic.ForLayers() == ScalarType.BFloat16,
            FrozenCacheBytes = (long)policy.FrozenCacheMb << 20,
        };
        _folder = Directory.CreateTempSubdirectory("beeformer-workers-").FullName;
        encoder.Save(_folder);
        var session = Guid.NewGuid();
        _workers = [.. options.Endpoints.Select(endpoint => new RemoteWorker(endpoint, options, session, encoder.Dimension, bytes, clock, logger))];
    }

    public ChunkEncoder Own { get; }

    /// <summary>Of a step. Goes by the configuration and not by who is there: who comes or goes changes no result.</summary>
    public int Shares { get; }

    public static int SharesOf(WorkersOptions options) => SharesEach * (options.Endpoints.Count + 1);

    /// <summary>Who takes part in the present step: none with the weights of an earlier one.</summary>
    public IReadOnlyList<RemoteWorker> Ready => [.. _workers.Where(worker => worker.IsReady && worker.Version == _version)];

    /// <summary>Ends when all who are joining have joined, or failed to.</summary>
    public Task Joining => Task.WhenAll(_workers.Select(worker => worker.Joining));

    /// <summary>Bytes of tensors and tokens to and from the workers.</summary>
    public (long Sent, long Received) Bytes => (_workers.Sum(worker => Interlocked.Read(ref worker.Sent)), _workers.Sum(worker => Interlocked.Read(ref worker.Received)));

    /// <summary>Sends the weights as they are now to all who are ready, and calls those who are away.</summary>
    public void BeginStep()
    {
        // Somebody may still be sending the last ones.
        if (Array.Exists(_workers, worker => !worker.Weights.IsCompleted)) _weights = TensorBytes.Room(TensorBytes.Length(Own.Weights));
        TensorBytes.Read(Own.Weights, _weights);
        _version++;
        foreach (RemoteWorker worker in _workers) worker.BeginStep(_version, _weights, _folder, _opening);
    }

    public void Dispose()
    {
        Task.WaitAll(_workers.Select(worker => Task.Run(worker.Dispose)));
        Directory.Delete(_folder, recursive: true);
    }
}
