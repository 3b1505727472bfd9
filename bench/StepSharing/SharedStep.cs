using System.Diagnostics;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.Trainer;
using BeeFormer.Streaming.Training;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.StepSharing;

/// <summary>Steps of one encoder, put together as a training does it, alone or with workers.</summary>
internal sealed class SharedStep : IDisposable
{
    private readonly Shop _shop;
    private readonly TrainingPolicy _policy;
    private readonly SentenceEncoder _encoder;
    private readonly FrozenLayers? _lower;
    private readonly TimedEncoder _own;
    private readonly NAdam _optimizer;
    private readonly BeeFormerStep _step;
    private readonly ColumnSampler _sampler;
    private readonly List<WorkerProcess> _processes = [];
    private (long Sent, long Received) _bytes;
    private TimeSpan _workersBusy;

    /// <param name="workers">Null: the step knows of no workers, and cuts no shares.</param>
    public SharedStep(string name, Shop shop, TrainingPolicy policy, string model, int maxTokens, int? workers)
    {
        (Name, _shop, _policy) = (name, shop, policy);
        _encoder = SentenceEncoder.Load(model, maxTokens);
        int frozen = (int)Math.Floor(_encoder.LayerCount * policy.FrozenLayers);
        foreach ((_, Tensor value) in _encoder.Parameters) value.requires_grad_(false);
        Tensor[] weights = [.. _encoder.ParametersAbove(frozen).Select(p => p.Value.requires_grad_(true))];
        WeightBytes = TensorBytes.Length(weights);
        _lower = frozen > 0 ? new FrozenLayers(_encoder, frozen, null, (long)policy.FrozenCacheMb << 20) : null;
        _own = new TimedEncoder(_encoder, _lower, policy, weights);
        _optimizer = new NAdam(weights);
        if (workers is { } count)
        {
            for (int n = 0; n < count; n++) _processes.Add(new WorkerProcess());
            Workers = new TrainingWorkers(new WorkersOptions { Endpoints = [.. _processes.Select(process => process.Address)] }, new WorkerIdentity(), _encoder, frozen, policy, _own, TimeProvider.System, NullLogger.Instance);
            Workers.BeginStep();
            Workers.Joining.Wait();
        }
        _step = new BeeFormerStep(_encoder, policy.EmbedderBatchSize, policy.TopK, (long)policy.GraphMemoryMb << 20, _lower, layersIn: policy.Arithmetic.ForLayers(), workers: Workers);
        _sampler = new ColumnSampler(shop.Interactions, policy.Seed);
        Step();
        Totals();
    }

    public string Name { get; }
    public long WeightBytes { get; }
    public TrainingWorkers? Workers { get; }
    public TimeSpan OwnEncoder => _own.Spent;
    public IEnumerable<long> PeakMemory => _processes.Select(process => process.PeakMemory);

    public void Step()
    {
        using var scope = NewDisposeScope();
        TrainingBatch batch = _sampler.Items(_policy.MaxOutput);
        _step.Accumulate([.. batch.Columns.Select(item => _encoder.Tokenize(_shop.Texts[item], TextRole.Document))], batch);
        _optimizer.Step(_policy.Lr, _policy.ClipNorm);
    }

    /// <summary>Since the last time: bytes sent and received, time in this machine's own encoder, processor time of the workers.</summary>
    public (long Sent, long Received, TimeSpan Own, TimeSpan Workers) Totals()
    {
        (long Sent, long Received) bytes = Workers?.Bytes ?? default;
        TimeSpan busy = _processes.Aggregate(TimeSpan.Zero, (sum, process) => sum + process.Busy);
        var since = (bytes.Sent - _bytes.Sent, bytes.Received - _bytes.Received, _own.Spent, busy - _workersBusy);
        (_bytes, _workersBusy, _own.Spent) = (bytes, busy, TimeSpan.Zero);
        return since;
    }

    public void Dispose()
    {
        Workers?.Dispose();
        foreach (WorkerProcess process in _processes) process.Dispose();
        _own.Dispose();
        _optimizer.Dispose();
        _lower?.Dispose();
        _encoder.Dispose();
    }

    private sealed class TimedEncoder(SentenceEncoder encoder, FrozenLayers? lower, TrainingPolicy policy, Tensor[] weights)
        : ChunkEncoder(encoder, lower, policy.Arithmetic.ForLayers(), weights, new GraphMemory(StepMemory.GraphBytesPerToken(encoder), (long)policy.GraphMemoryMb << 20))
    {
        public TimeSpan Spent { get; set; }

        public override byte[] Embed(int number, int[][] tokens)
        {
            long began = Stopwatch.GetTimestamp();
            byte[] rows = base.Embed(number, tokens);
            Spent += Stopwatch.GetElapsedTime(began);
            return rows;
        }

        public override void BackPropagate(int number, int[][] tokens, ReadOnlySpan<byte> gradient)
        {
            long began = Stopwatch.GetTimestamp();
            base.BackPropagate(number, tokens, gradient);
            Spent += Stopwatch.GetElapsedTime(began);
        }
    }
}
