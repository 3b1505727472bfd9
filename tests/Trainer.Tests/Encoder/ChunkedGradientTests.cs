using BeeFormer.Streaming.Encoder;
using FsCheck.Xunit;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>However a step is cut (texts into chunks, users into blocks, graphs kept or not), its gradients are those of one graph over everything.</summary>
public sealed class ChunkedGradientTests
{
    [Property(MaxTest = 40)]
    public void Gradients_do_not_depend_on_how_a_step_is_cut(int seed, bool frozen, bool withTopK)
    {
        var random = new Random(seed);
        int columns = random.Next(2, 30), users = random.Next(1, 20), layers = frozen ? 1 : 0, topK = withTopK ? random.Next(1, 6) : 0;
        using SentenceEncoder encoder = TinyEncoder.Load();
        using var scope = NewDisposeScope();
        int[][] tokens = [.. Enumerable.Range(0, columns).Select(n => encoder.Tokenize(Text(random, n)))];
        TrainingBatch batch = Batch(random, users, columns);
        foreach ((_, Tensor value) in encoder.Parameters) value.requires_grad_(false);
        Tensor[] weights = [.. encoder.ParametersAbove(layers).Select(p => p.Value.requires_grad_(true))];
        using FrozenLayers? lower = frozen ? new FrozenLayers(encoder, layers, null, random.Next(2) * 10_000) : null;

        Tensor naive = BeeFormerStep.Loss(lower is null ? encoder.Forward(tokens) : lower.Forward(tokens), tensor(batch.X, users, columns), topK);
        naive.backward();
        Tensor[] expected = [.. weights.Select(w => w.grad!.clone())];
        foreach (Tensor weight in weights) weight.grad!.zero_();

        var step = new BeeFormerStep(encoder, random.Next(1, columns + 1), topK, graphBytes: random.Next(0, 40) * 50_000L, lower)
        {
            ChunkTokens = random.Next(1, 200),
            LossEntries = random.Next(1, 2 * users * columns),
        };
        float loss = step.Accumulate(tokens, batch);

        Assert.Equal(naive.item<float>(), loss, 1e-5f);
        float largest = expected.Max(g => g.abs().max().item<float>());
        foreach ((Tensor weight, Tensor gradient) in weights.Zip(expected))
            Assert.True((weight.grad! - gradient).abs().max().item<float>() <= 1e-4 * largest + 1e-9, $"seed {seed}: {columns} columns, {users} users, top {topK}");
    }

    /// <summary>Some items have no text, some a long one.</summary>
    private static string Text(Random random, int n) => random.Next(5) switch
    {
        0 => "",
        1 => string.Join(' ', Enumerable.Repeat(TinyEncoder.Text(n), random.Next(2, 40))),
        _ => TinyEncoder.Text(n),
    };

    /// <summary>Weights of any size; some users have nothing.</summary>
    private static TrainingBatch Batch(Random random, int users, int columns)
    {
        var (start, column, weight) = (new int[users + 1], new List<int>(), new List<float>());
        for (int user = 0; user < users; user++)
        {
            if (random.Next(4) > 0)
                for (int n = 0; n < columns; n++)
                {
                    if (random.Next(3) > 0) continue;
                    column.Add(n);
                    weight.Add(0.05f + random.NextSingle());
                }
            start[user + 1] = column.Count;
        }
        return new TrainingBatch([.. Enumerable.Range(0, columns)], start, [.. column], [.. weight]);
    }
}
