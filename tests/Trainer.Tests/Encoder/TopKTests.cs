using BeeFormer.Streaming.Encoder;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>The published top_k keeps a row's k largest predictions alone, and none of these is ever a positive; ours keeps the positives, too.</summary>
public sealed class TopKTests
{
    private const int Items = 24, Users = 30, K = 4;

    [Fact]
    public void The_published_selection_learns_nothing_and_ours_ranks_what_goes_together_higher()
    {
        Tensor published = Run(Published, out float publishedBefore, out float publishedAfter, out double publishedGradient);
        Tensor ours = Run((a, x) => BeeFormerStep.Loss(a, x, K), out float before, out float after, out double gradient);
        using (published)
        using (ours)
        {
            Assert.Equal(publishedBefore, publishedAfter, 1e-5f);
            Assert.True(after < before * 0.9, $"loss went from {before} to {after}");
            Assert.True(gradient > 100 * publishedGradient, $"gradients of {gradient} and {publishedGradient}");
            Assert.True(Together(ours) > Together(published) + 0.2, $"{Together(ours)} and {Together(published)} of the nearest go together");
        }
    }

    /// <summary>Learns free vectors from an encoder's embeddings on, so that nothing but the selection decides.</summary>
    /// <returns>Vectors [items, d].</returns>
    private static Tensor Run(Func<Tensor, Tensor, Tensor> lossOf, out float before, out float after, out double gradient)
    {
        using var scope = NewDisposeScope();
        using SentenceEncoder encoder = TinyEncoder.Load();
        Tensor vectors;
        using (no_grad()) vectors = encoder.Forward([.. TinyEncoder.Texts(Items).Select(text => encoder.Tokenize(text))]);
        vectors.requires_grad_();
        InteractionMatrix tastes = TinyEncoder.Tastes(Users, Items, seed: 2);
        Tensor x = tensor(new ColumnSampler(tastes, 1).Users([.. Enumerable.Range(0, Users)], 1).X, Users, Items);
        using var optimizer = new NAdam([vectors]);
        (before, after, gradient) = (float.NaN, float.NaN, 0);
        for (int n = 0; n < 60; n++)
        {
            Tensor loss = lossOf(vectors, x);
            loss.backward();
            after = loss.item<float>();
            if (n > 0)
            {
                optimizer.Step(0.02);
                continue;
            }
            before = after;
            gradient = vectors.grad!.norm().item<float>();
            optimizer.Step(0.02);
        }
        return vectors.detach().MoveToOuterDisposeScope();
    }

    private static Tensor Published(Tensor embeddings, Tensor x)
    {
        Tensor a = nn.functional.normalize(embeddings, dim: 1);
        Tensor p = nn.functional.relu(x.mm(a).mm(a.t()) - x);
        (Tensor values, Tensor indexes) = p.topk(K, 1);
        return (nn.functional.normalize(values, dim: 1) - nn.functional.normalize(x.gather(1, indexes), dim: 1)).square().mean();
    }

    /// <summary>Share of items whose nearest other is of their own group (every sixth item).</summary>
    private static double Together(Tensor vectors)
    {
        using var scope = NewDisposeScope();
        Tensor a = nn.functional.normalize(vectors, dim: 1);
        long[] nearest = (a.mm(a.t()) - eye(Items) * 2).argmax(1).data<long>().ToArray();
        return nearest.Index().Average(n => n.Item % 6 == n.Index % 6 ? 1.0 : 0.0);
    }
}
