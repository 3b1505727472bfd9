using BeeFormer.Streaming.Encoder;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class HeadStepTests
{
    [Theory, InlineData(0), InlineData(0.4)]
    public void First_step_moves_W_and_touched_rows_of_B_as_Adam_on_a_dense_autograd_gradient_would(double dropout)
    {
        var kept = new WordDropout(dropout, seed: 5);
        kept.Next();
        var shop = SyntheticShop.Of(items: 60, users: 80, seed: 4);
        var head = Head.Create(new HeadShape(SyntheticShop.Dimension, 13, Seed: 1), shop.Texts);
        var words = head.TfIdf(shop.Texts);
        var draw = new ItemSampler(shop.Interactions, 1000, seed: 2).Draw(25);
        var step = new HeadStep(head, shop.Outputs, words, new HeadTrainingOptions { ProjectionLearningRate = 0.01f, WordLearningRate = 0.02f, WordDropout = dropout, Seed = 5 });
        var outputs = new float[25 * SyntheticShop.Dimension];
        for (int j = 0; j < 25; j++) shop.Outputs.Row(draw.Items[j]).CopyTo(outputs.AsSpan(j * SyntheticShop.Dimension));
        var outputGradient = new float[outputs.Length];
        double loss = step.Run(draw, outputs, rate: 1, outputGradient);
        var moved = step.Finish();

        using var scope = NewDisposeScope();
        var dense = new float[draw.Users, 25];
        for (int user = 0; user < draw.Users; user++)
            for (int n = draw.RowStart[user]; n < draw.RowStart[user + 1]; n++) dense[user, draw.Column[n]] = draw.RowWeight[n];
        var t = new float[25, head.Vocabulary.Words.Count];
        var e = new float[25, SyntheticShop.Dimension];
        for (int j = 0; j < 25; j++)
        {
            for (int n = 0; n < words.Columns(draw.Items[j]).Length; n++) 
                if (kept.Keeps(draw.Items[j], words.Columns(draw.Items[j])[n])) t[j, words.Columns(draw.Items[j])[n]] = words.Values(draw.Items[j])[n] * kept.Scale;
            for (int i = 0; i < SyntheticShop.Dimension; i++) e[j, i] = shop.Outputs.Row(draw.Items[j])[i];
        }
        var w = tensor(head.Projection.ToArray(), [SyntheticShop.Dimension, 13], requires_grad: true);
        var b = tensor(head.WordRows.ToArray(), [head.Vocabulary.Words.Count, 13], requires_grad: true);
        var given = tensor(e).requires_grad_();
        var x = tensor(dense);
        var a = nn.functional.normalize(0.5f * nn.functional.normalize(given, dim: 1).mm(w) + tensor(t).mm(b), dim: 1);
        var p = nn.functional.relu(x.mm(a).mm(a.t()) - x);
        var expected = (p / p.norm(1, keepdim: true) - x / x.norm(1, keepdim: true)).pow(2).mean();
        expected.backward();

        Assert.Equal(expected.item<float>(), loss, 1e-6);
        float[] expectedGradient = given.grad!.data<float>().ToArray();
        float largest = expectedGradient.Max(Math.Abs);
        for (int i = 0; i < outputGradient.Length; i++) Assert.Equal(expectedGradient[i], outputGradient[i], 1e-4f * largest);
        AssertFirstAdamStep(head.Projection.ToArray(), w.grad!, 0.01f, moved.Projection.ToArray());
        AssertFirstAdamStep(head.WordRows.ToArray(), b.grad!, 0.02f, moved.WordRows.ToArray());
        Assert.Contains(Enumerable.Range(0, head.Vocabulary.Words.Count), word => b.grad![word].abs().max().item<float>() == 0);
    }

    // After one step of Adam the moments cancel: a value moves by rate · g / (|g| + ε).
    private static void AssertFirstAdamStep(float[] before, Tensor gradient, float rate, float[] after)
    {
        float[] g = gradient.data<float>().ToArray();
        float largest = g.Max(Math.Abs);
        for (int i = 0; i < g.Length; i++)
        {
            if (g[i] != 0 && Math.Abs(g[i]) < largest * 1e-3f) continue; // too near to 0 for its sign to be sure
            float expected = before[i] - rate * g[i] / (Math.Abs(g[i]) + HeadStep.Epsilon);
            Assert.Equal(expected, after[i], rate * 1e-2f);
        }
    }

    [Fact]
    public void Number_of_live_tensors_stays_the_same_over_many_steps()
    {
        var shop = SyntheticShop.Of(items: 60, users: 80, seed: 4);
        var head = shop.Untrained();
        var step = new HeadStep(head, shop.Outputs, head.TfIdf(shop.Texts), new HeadTrainingOptions());
        var sampler = new ItemSampler(shop.Interactions, 1000, seed: 2);
        step.Run(sampler.Draw(30), 1);
        long live = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int n = 0; n < 50; n++) step.Run(sampler.Draw(30), 1);
        Assert.Equal(live, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }
}
