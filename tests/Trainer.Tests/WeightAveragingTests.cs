using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class WeightAveragingTests
{
    [Theory]
    [InlineData(0.25f)]
    [InlineData(0.9f)]
    public void An_encoder_lies_between_trained_and_incumbent(float share)
    {
        using SentenceEncoder incumbent = TinyEncoder.Load();
        var before = incumbent.Fingerprint;
        var policy = new TrainingPolicy { EncoderSteps = 3, MaxOutput = 48, Lr = 3e-3, FrozenLayers = 0.5 };
        SentenceEncoder Train() => EncoderTrainer.Train(incumbent, TinyEncoder.Texts(72), TinyEncoder.Tastes(60, 72, 3), policy, TimeProvider.System, cancellationToken: TestContext.Current.CancellationToken);
        using SentenceEncoder trained = Train(), averaged = Train();
        WeightAveraging.Average(new ItemEncoder(averaged), new ItemEncoder(incumbent), share);
        Assert.NotEqual(trained.Fingerprint, averaged.Fingerprint);
        Assert.Equal(before, incumbent.Fingerprint);
        int moved = 0;
        using SentenceEncoder old = incumbent.Clone();
        foreach (((_, var was), (_, var became), (string name, var mean)) in old.Parameters.Zip(trained.Parameters, averaged.Parameters))
        {
            float[] a = was.data<float>().ToArray(), b = became.data<float>().ToArray(), m = mean.data<float>().ToArray();
            for (int n = 0; n < a.Length; n++)
            {
                if (a[n] == b[n]) Assert.Equal(a[n], m[n]); // frozen weights stay as they are, and so does what was kept of their outputs
                else moved++;
                Assert.True(Math.Abs((1 - share) * b[n] + share * a[n] - m[n]) <= 1e-6f, name);
            }
        }
        Assert.True(moved > 1000);
    }

    [Fact]
    public void A_head_lies_between_both_and_words_of_one_side_keep_their_own()
    {
        string[] oldTexts = ["red lamp", "red ship", "lamp ship old", "old"], newTexts = ["red lamp", "red ship", "lamp ship fresh", "fresh"];
        Head incumbent = Learned(Head.Create(8, oldTexts, seed: 1), 1), trained = Learned(Head.Create(8, newTexts, seed: 1), 2);
        Head averaged = WeightAveraging.Average(trained, incumbent, 0.25);
        for (int n = 0; n < 64; n++) Assert.Equal(0.75f * trained.Projection.Span[n] + 0.25f * incumbent.Projection.Span[n], averaged.Projection.Span[n], 1e-6f);
        Assert.Equal(["fresh", "lamp", "red", "ship"], averaged.Vocabulary.Words);
        for (int word = 0; word < 4; word++)
            for (int n = 0; n < 8; n++)
            {
                int old = incumbent.Vocabulary.IndexOf(averaged.Vocabulary.Words[word]);
                float own = trained.WordRows.Span[word * 8 + n];
                Assert.Equal(old < 0 ? own : 0.75f * own + 0.25f * incumbent.WordRows.Span[old * 8 + n], averaged.WordRows.Span[word * 8 + n], 1e-6f);
            }
    }

    [Fact]
    public void Heads_of_different_shapes_do_not_mix()
    {
        string[] texts = ["red lamp", "red lamp"];
        Head trained = Head.Create(8, texts, seed: 1);
        Assert.Same(trained, WeightAveraging.Average(trained, Head.Create(4, texts, seed: 1), 0.5));
        Assert.Same(trained, WeightAveraging.Average(trained, Head.Create(new HeadShape(8, 8, 1, Alpha: 0.25f), texts), 0.5));
    }

    private static Head Learned(Head head, int seed)
    {
        var random = new Random(seed);
        float[] Drawn(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
        return head.WithWeights(Drawn(head.Projection.Length), Drawn(head.WordRows.Length));
    }
}
