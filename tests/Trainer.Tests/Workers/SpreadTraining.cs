using BeeFormer.Streaming.Encoder;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>Training steps of the tiny encoder on this machine and its workers, one by one.</summary>
internal sealed class SpreadTraining : IDisposable
{
    private const int Columns = 24;
    private readonly FrozenLayers? _lower;
    private readonly PatientEncoder _own;
    private readonly NAdam _optimizer;
    private readonly BeeFormerStep _step;
    private readonly int[][] _tokens;

    /// <param name="graphBytes">Room for the graphs of this machine's part.</param>
    /// <param name="patient">See <see cref="PatientEncoder"/>.</param>
    public SpreadTraining(WorkersOptions options, int frozen = 0, long graphBytes = 0, WorkerIdentity? identity = null, bool patient = true)
    {
        Encoder = TinyEncoder.Load();
        foreach ((_, Tensor value) in Encoder.Parameters) value.requires_grad_(false);
        Tensor[] weights = [.. Encoder.ParametersAbove(frozen).Select(p => p.Value.requires_grad_(true))];
        _lower = frozen > 0 ? new FrozenLayers(Encoder, frozen, null, 1 << 20) : null;
        _own = new PatientEncoder(Encoder, _lower, weights, new GraphMemory(StepMemory.GraphBytesPerToken(Encoder), graphBytes));
        Workers = new TrainingWorkers(options, identity ?? new WorkerIdentity(), Encoder, frozen, new TrainingPolicy { Arithmetic = TrainingArithmetic.Float32 }, _own, new SkippingClock(), NullLogger.Instance);
        if (patient) _own.Workers = Workers;
        _optimizer = new NAdam(weights);
        _step = new BeeFormerStep(Encoder, 2, lower: _lower, workers: Workers);
        _tokens = [.. TinyEncoder.Texts(Columns).Select(text => Encoder.Tokenize(text))];
    }

    public SentenceEncoder Encoder { get; }

    public TrainingWorkers Workers { get; }

    /// <summary>Calls those who are away, and waits until they have joined or failed to.</summary>
    public async Task JoinAsync()
    {
        Workers.BeginStep();
        await Workers.Joining.WaitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>On one thread, as the workers of tests: products are added up in an order that depends on their number. It is a thread's own setting, and a test may go on on another thread after each await.</summary>
    /// <param name="between">Happens after the embeddings and before the gradients.</param>
    public float Step(int n, Action? between = null) => OnOneThread(() => TakeStep(n, between));

    public static T OnOneThread<T>(Func<T> work)
    {
        int before = get_num_threads();
        set_num_threads(1);
        try
        {
            return work();
        }
        finally
        {
            set_num_threads(before);
        }
    }

    private float TakeStep(int n, Action? between)
    {
        using var scope = NewDisposeScope();
        float loss = _step.Accumulate(_tokens, _own.Waiting(_step.LossOf(BeeFormerStepTests.RandomRows(8, Columns, n)), between));
        _optimizer.Step(2e-4, maxNorm: 1);
        return loss;
    }

    /// <summary>Weights after some steps of a training whose workers are all away.</summary>
    public static float[][] Alone(int endpoints, int steps, int frozen = 0)
    {
        using var alone = new SpreadTraining(new WorkersOptions { Endpoints = [.. Enumerable.Repeat("http://127.0.0.1:1", endpoints)] }, frozen);
        for (int n = 0; n < steps; n++) alone.Step(n);
        return alone.Weights;
    }

    public float[][] Weights => [.. Encoder.Parameters.Select(p => p.Value.data<float>().ToArray())];

    public void Dispose()
    {
        Workers.Dispose();
        _own.Dispose();
        _optimizer.Dispose();
        _lower?.Dispose();
        Encoder.Dispose();
    }

    /// <summary>Each look is an hour later: a worker that went is called again at the next step.</summary>
    private sealed class SkippingClock : TimeProvider
    {
        private long _hours;

        public override long GetTimestamp() => Interlocked.Increment(ref _hours) * TimestampFrequency * 3600;
    }
}
