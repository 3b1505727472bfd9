using BeeFormer.Streaming.Encoder;
using FsCheck.Xunit;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class BeeFormerStepTests
{
    [Property(MaxTest = 25)]
    public void Gradients_of_chunks_are_those_of_one_graph(byte columnsSeed, byte chunkSeed, byte budgetSeed, bool withTopK)
    {
        int columns = 3 + columnsSeed % 30, chunk = 1 + chunkSeed % columns, topK = withTopK ? 3 : 0;
        using SentenceEncoder encoder = TinyEncoder.Load();
        using var scope = NewDisposeScope();
        int[][] tokens = [.. TinyEncoder.Texts(columns).Select(text => encoder.Tokenize(text))];
        Tensor x = RandomRows(8, columns, columnsSeed);

        Tensor naive = BeeFormerStep.Loss(encoder.Forward(tokens), x, topK);
        naive.backward();
        Tensor[] expected = [.. encoder.Parameters.Select(p => p.Value.grad!.clone())];
        foreach ((_, Tensor value) in encoder.Parameters) value.grad!.zero_();

        // A budget of some chunks: part of them keep their graph, part are encoded again.
        float loss = new BeeFormerStep(encoder, chunk, topK, graphBytes: budgetSeed * 20_000L).Accumulate(tokens, x);

        Assert.Equal(naive.item<float>(), loss, 1e-6f);
        float largest = expected.Max(g => g.abs().max().item<float>());
        foreach (((string name, Tensor value), Tensor gradient) in encoder.Parameters.Zip(expected))
            Assert.True((value.grad! - gradient).abs().max().item<float>() <= 1e-4 * largest, name);
    }

    [Fact]
    public void Many_steps_leave_no_tensor_behind()
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        using var optimizer = new NAdam([.. encoder.Parameters.Select(p => p.Value)]);
        var step = new BeeFormerStep(encoder, 4, topK: 2, graphBytes: 1 << 20);
        int[][] tokens = [.. TinyEncoder.Texts(12).Select(text => encoder.Tokenize(text))];

        var live = new List<long>();
        for (int n = 0; n < 20; n++)
        {
            using (var scope = NewDisposeScope())
            {
                step.Accumulate(tokens, RandomRows(5, 12, n));
                optimizer.Step(1e-4, maxNorm: 1);
            }
            live.Add(DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
        }
        // The first steps make the gradients.
        Assert.Equal(live[3], live[^1]);
    }

    [Fact]
    public void A_user_without_interactions_makes_no_nan()
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        using var scope = NewDisposeScope();
        int[][] tokens = [.. TinyEncoder.Texts(5).Select(text => encoder.Tokenize(text))];
        Assert.True(float.IsFinite(new BeeFormerStep(encoder, 2).Accumulate(tokens, zeros(3, 5))));
        Assert.All(encoder.Parameters, p => Assert.True(p.Value.grad!.isfinite().all().item<bool>()));
    }

    internal static Tensor RandomRows(int users, int columns, int seed)
    {
        var random = new Random(seed);
        float[] x = [.. Enumerable.Range(0, users * columns).Select(_ => random.Next(3) == 0 ? 1f : 0f)];
        return tensor(x, users, columns);
    }
}
