using System.Runtime.InteropServices;
using BeeFormer.Streaming.Encoder;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>An encoder while it is trained: one step after the other, and all that a step changes.</summary>
internal sealed class EncoderTraining : IDisposable
{
    private readonly SentenceEncoder _encoder;
    private readonly IReadOnlyList<string> _texts;
    private readonly IReadOnlyList<string> _words;
    private readonly InteractionMatrix _interactions;
    private readonly TrainingPolicy _policy;
    private readonly IReadOnlyList<(string Name, Tensor Value)> _weights;
    private readonly FrozenLayers? _lower;
    private readonly EncoderReplicas _replicas;
    private readonly ChunkEncoder? _own;
    private readonly TrainingWorkers? _workers;
    private readonly NAdam _optimizer;
    private readonly BeeFormerStep _step;
    private readonly TextImageStep? _images;
    private readonly HeadStep? _headStep;
    private readonly int[]?[] _tokens;
    private readonly IEnumerator<Func<double, (float Loss, int Items)>> _draws;

    /// <param name="encoder">Is changed.</param>
    /// <param name="devices">The first is the encoder's own; the others share its work.</param>
    /// <param name="head">In the loop; null: the loss is on the encoder's own normalised embeddings (the published method).</param>
    /// <param name="images">Combines texts with their pictures, and lets the image tower learn; null: texts alone.</param>
    /// <param name="words">The texts with their attributes, for a head that looks at them; null: there are none.</param>
    /// <param name="workers">Other machines that share the steps where the policy asks for it; there is one device then.</param>
    public EncoderTraining(SentenceEncoder encoder, IReadOnlyList<Device> devices, Head? head, IReadOnlyList<string> texts, InteractionMatrix interactions, TrainingPolicy policy, string? cacheFolder, TextImageStep? images = null,
        IReadOnlyList<string>? words = null, WorkerDirectory? workers = null)
    {
        (_encoder, _texts, _interactions, _policy, _images) = (encoder, texts, interactions, policy, images);
        _words = head?.Shape.Reads(texts, words ?? texts) ?? texts;
        int frozen = (int)Math.Floor(encoder.LayerCount * policy.FrozenLayers);
        foreach ((_, Tensor value) in encoder.Parameters) value.requires_grad_(false);
        _weights = [.. encoder.ParametersAbove(frozen), .. images?.Weights ?? []];
        Tensor[] weights = [.. _weights.Select(p => p.Value.requires_grad_(true))];
        _lower = frozen > 0 ? new FrozenLayers(encoder, frozen, cacheFolder, (long)policy.FrozenCacheMb << 20) : null;
        _optimizer = new NAdam(weights);
        var memory = StepMemory.Of(policy, encoder, Math.Max(2, Math.Min(policy.MaxOutput, texts.Count)), devices.Count, Environment.WorkingSet, workers?.GradientsHeld(policy) ?? 0);
        _replicas = new EncoderReplicas(encoder, devices, frozen);
        if (workers?.Serves(policy) == true)
        {
            _own = new ChunkEncoder(encoder, _lower, policy.Arithmetic.ForLayers(), [.. encoder.ParametersAbove(frozen).Select(p => p.Value)], new GraphMemory(StepMemory.GraphBytesPerToken(encoder), memory.GraphBytes));
            _workers = workers.Open(policy, encoder, frozen, _own);
        }
        _step = new BeeFormerStep(encoder, policy.EmbedderBatchSize, policy.TopK, memory.GraphBytes, _lower, _replicas, policy.Arithmetic.ForLayers(), _workers) { ChunkTokens = memory.ChunkTokens, LossEntries = memory.LossEntries };
        _tokens = new int[]?[texts.Count];
        HeadTrainingOptions? options = head is null ? null : StepMemory.Bound(ModelTraining.HeadOptions(policy, policy.HeadSteps) with { ItemsPerStep = policy.MaxOutput }, policy, head, Environment.WorkingSet);
        if (options is not null) _headStep = new HeadStep(head!, new EmbeddingMatrix([], head!.EncoderDimension), head.TfIdf(_words), options);
        _draws = (_headStep is null ? Plain() : InLoop(_headStep, options!)).GetEnumerator();
        Steps = EncoderDraws.Steps(interactions, policy);
    }

    public int Steps { get; }
    /// <summary>Steps done.</summary>
    public int Done { get; private set; }
    /// <summary>Texts learned from.</summary>
    public long Items { get; private set; }

    /// <summary>As far as it has learned; null without one in the loop.</summary>
    public Head? Head => _headStep?.Finish();

    /// <summary>What is learned.</summary>
    public IReadOnlyList<StatePart> Weights => [.. _weights.Select(w => StatePart.Of("encoder/" + w.Name, w.Value)), .. _headStep?.Weights ?? []];

    /// <summary>What the next step depends on beside <see cref="Weights"/>, <see cref="Counters"/> and the draws.</summary>
    public IReadOnlyList<StatePart> Moments => [.. _optimizer.Moments, .. _headStep?.Moments ?? []];

    public EncoderCounters Counters => new(Done, Items, _optimizer.Counters.Steps, _optimizer.Counters.MomentumProduct);

    /// <summary>The caller has put weights and moments back. The draws up to here are made once more and left aside: they cost no pass through the encoder, and nothing of them has to be kept.</summary>
    public void Resume(EncoderCounters counters)
    {
        (Done, Items, _optimizer.Counters) = (counters.Step, counters.Items, (counters.OptimizerSteps, counters.MomentumProduct));
        for (int n = 0; n < Done; n++) _draws.MoveNext();
        _headStep?.Skip(counters.OptimizerSteps);
        // A step leaves gradients of zero, not none.
        if (counters.OptimizerSteps > 0)
            foreach ((_, Tensor value) in _weights) value.grad = zeros_like(value, requires_grad: false).DetachFromDisposeScope();
    }

    /// <returns>False: nobody has anything to learn from.</returns>
    public bool TryStep(out float loss)
    {
        loss = 0;
        if (!_draws.MoveNext()) return false;
        double schedule = LearningRateSchedule.At(1, _policy.UseScheduler, Done, Steps);
        (loss, int used) = _draws.Current(schedule);
        if (used > 0) _optimizer.Step(_policy.Lr * schedule, _policy.ClipNorm);
        Items += used;
        Done++;
        return true;
    }

    /// <summary>Vectors of some items as the weights are now, of any length.</summary>
    public EmbeddingMatrix Vectors(int[] items)
    {
        EmbeddingMatrix outputs = EmbeddingMatrix.Zeros(items.Length, _encoder.Dimension);
        foreach (int[] rows in Enumerable.Range(0, items.Length).OrderBy(row => TokensOf(items[row]).Length).Chunk(_policy.EmbedderBatchSize))
        {
            using var noGrad = no_grad();
            using var scope = NewDisposeScope();
            int[][] tokens = [.. rows.Select(row => TokensOf(items[row]))];
            Tensor chunk = _lower is null ? _encoder.Forward(tokens) : _lower.Forward(tokens);    // [rows, d]
            if (_images is not null) chunk = _images.Combine(chunk, [.. rows.Select(row => items[row])]);
            ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(chunk.cpu().contiguous().bytes);
            for (int n = 0; n < rows.Length; n++) values.Slice(n * _encoder.Dimension, _encoder.Dimension).CopyTo(outputs.Row(rows[n]));
        }
        return Head is { } head && !Array.Exists(outputs.Values, value => !float.IsFinite(value)) ? head.Apply(outputs, [.. items.Select(item => _words[item])]) : outputs;
    }

    private int[] TokensOf(int item) => _tokens[item] ??= _encoder.Tokenize(_texts[item], TextRole.Document);

    private int[][] TokensOf(int[] items) => [.. items.Select(TokensOf)];

    // Each draw is a gradient still to be computed. One in which nobody has two items teaches nothing.
    private IEnumerable<Func<double, (float, int)>> Plain()
    {
        foreach (TrainingBatch batch in EncoderDraws.Batches(new ColumnSampler(_interactions, _policy.Seed), _policy))
            yield return _ =>
            {
                if (batch.Rows == 0) return (0, 0);
                using var scope = NewDisposeScope();
                return (_step.Accumulate(TokensOf(batch.Columns), WithPictures(batch.Columns, _step.LossOf(batch))), batch.Columns.Length);
            };
    }

    private IEnumerable<Func<double, (float, int)>> InLoop(HeadStep headStep, HeadTrainingOptions options)
    {
        var sampler = new ItemSampler(ModelTraining.Columns(_interactions), options.MaxUsersPerStep, _policy.Seed);
        while (true)
        {
            ItemDraw draw = sampler.Draw(_policy.MaxOutput);
            yield return schedule =>
            {
                if (draw.Users == 0) return (0, 0);
                using var scope = NewDisposeScope();
                return (_step.Accumulate(TokensOf(draw.Items), WithPictures(draw.Items, (embeddings, order) => ThroughHead(headStep, draw, embeddings, order, (float)schedule))), draw.Items.Length);
            };
        }
    }

    private Func<Tensor, int[], (float Loss, Tensor Gradient)> WithPictures(int[] items, Func<Tensor, int[], (float Loss, Tensor Gradient)> gradientOf) => _images?.Through(items, gradientOf) ?? gradientOf;

    private static (float Loss, Tensor Gradient) ThroughHead(HeadStep head, ItemDraw draw, Tensor embeddings, int[] order, float rate)
    {
        int d = (int)embeddings.size(1);
        ReadOnlySpan<float> rows = MemoryMarshal.Cast<byte, float>(embeddings.cpu().contiguous().bytes);
        var e = new float[rows.Length];
        for (int row = 0; row < order.Length; row++) rows.Slice(row * d, d).CopyTo(e.AsSpan(order[row] * d));
        var byItem = new float[e.Length];
        double loss = head.Run(draw, e, rate, byItem);
        Tensor gradient = empty(embeddings.shape);
        Span<float> target = MemoryMarshal.Cast<byte, float>(gradient.bytes);
        for (int row = 0; row < order.Length; row++) byItem.AsSpan(order[row] * d, d).CopyTo(target[(row * d)..]);
        return ((float)loss, gradient);
    }

    public void Dispose()
    {
        _workers?.Dispose();
        _own?.Dispose();
        _optimizer.Dispose();
        _replicas.Dispose();
        _lower?.Dispose();
    }
}

/// <param name="Step">Steps done, draws that taught nothing included.</param>
/// <param name="Items">Texts learned from.</param>
/// <param name="OptimizerSteps">Times that the weights moved.</param>
internal sealed record EncoderCounters(int Step, long Items, int OptimizerSteps, double MomentumProduct);
