using System.Diagnostics;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.Trainer;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Training;

/// <summary>The step of this program, put together as a training does it, with a clock beside what is not the encoder's work.</summary>
internal sealed class OwnStep : ISide
{
    private readonly Shop _shop;
    private readonly TrainingPolicy _policy;
    private readonly SentenceEncoder _encoder;
    private readonly FrozenLayers? _lower;
    private readonly NAdam _optimizer;
    private readonly BeeFormerStep _step;
    private readonly ColumnSampler _sampler;
    private readonly int[]?[] _tokens;
    private readonly string? _cache;

    public OwnStep(string name, Shop shop, TrainingPolicy policy, string model, int maxTokens, string cacheFolder)
    {
        (Name, _shop, _policy) = (name, shop, policy);
        _encoder = SentenceEncoder.Load(model, maxTokens);
        int frozen = (int)Math.Floor(_encoder.LayerCount * policy.FrozenLayers);
        foreach ((_, Tensor value) in _encoder.Parameters) value.requires_grad_(false);
        Tensor[] weights = [.. _encoder.ParametersAbove(frozen).Select(p => p.Value.requires_grad_(true))];
        _cache = frozen > 0 ? Directory.CreateDirectory(Path.Combine(cacheFolder, $"{name} {maxTokens}")).FullName : null;
        _lower = frozen > 0 ? new FrozenLayers(_encoder, frozen, _cache, (long)policy.FrozenCacheMb << 20) : null;
        _optimizer = new NAdam(weights);
        _step = new BeeFormerStep(_encoder, policy.EmbedderBatchSize, policy.TopK, (long)policy.GraphMemoryMb << 20, _lower);
        _sampler = new ColumnSampler(shop.Interactions, policy.Seed);
        _tokens = new int[shop.Texts.Length][];
    }

    public string Name { get; }

    /// <summary>Seconds of all steps spent on drawing, tokenising, loss and optimizer.</summary>
    public Dictionary<string, double> Beside { get; } = new() { ["drawing"] = 0, ["tokenising"] = 0, ["loss"] = 0, ["optimizer"] = 0, ["cache reads"] = 0 };

    /// <summary>Puts what the frozen layers give for these texts into the cache, as an earlier training would have.</summary>
    public void Fill(TrainingBatch batch)
    {
        if (_lower is null) return;
        using var noGradients = no_grad();
        foreach (int[][] chunk in Tokens(batch.Columns).Chunk(32)) _lower.Forward(chunk).Dispose();
    }

    /// <summary>What comes next; drawing it again gives the same.</summary>
    public TrainingBatch Draw() => Timed("drawing", () => _sampler.Items(_policy.MaxOutput));

    public int Step() => Step(Draw());

    public int Step(TrainingBatch batch)
    {
        using var scope = NewDisposeScope();
        int[][] tokens = Timed("tokenising", () => Tokens(batch.Columns));
        _step.Accumulate(tokens, batch);
        Timed("optimizer", () =>
        {
            _optimizer.Step(_policy.Lr, _policy.ClipNorm);
            return 0;
        });
        return batch.Columns.Length;
    }

    /// <summary>The loss of a batch once more, on vectors made up, to see what it takes; and what reading the cache takes, twice for the texts that are encoded twice.</summary>
    public void TimeLoss(TrainingBatch batch)
    {
        using var scope = NewDisposeScope();
        Tensor a = randn(batch.Columns.Length, _encoder.Dimension).requires_grad_();
        int together = Math.Clamp(_step.LossEntries / batch.Columns.Length, 1, batch.Rows);
        Timed("loss", () =>
        {
            for (int first = 0; first < batch.Rows; first += together)
            {
                int count = Math.Min(together, batch.Rows - first);
                BeeFormerStep.Loss(a, tensor(batch.Dense(first, count), count, batch.Columns.Length), _policy.TopK).backward();
            }
            return 0;
        });
        if (_cache is null) return;
        _lower!.Dispose();
        using var file = new LowerOutputFile(Directory.GetFiles(_cache).Single(), _encoder.Transformer.HiddenSize, long.MaxValue);
        Timed("cache reads", () =>
        {
            for (int pass = 0; pass < 2; pass++)
                foreach (int[] text in Tokens(batch.Columns))
                    if (!file.TryRead(TextKey.Of(text), new byte[text.Length * _encoder.Transformer.HiddenSize * sizeof(short)])) throw new InvalidOperationException("A text is not in the cache.");
            return 0;
        });
    }

    private int[][] Tokens(int[] items) => [.. items.Select(item => _tokens[item] ??= _encoder.Tokenize(_shop.Texts[item], TextRole.Document))];

    private T Timed<T>(string part, Func<T> work)
    {
        long began = Stopwatch.GetTimestamp();
        T result = work();
        Beside[part] += Stopwatch.GetElapsedTime(began).TotalSeconds;
        return result;
    }

    public void Dispose()
    {
        _lower?.Dispose();
        _optimizer.Dispose();
        _encoder.Dispose();
    }
}
