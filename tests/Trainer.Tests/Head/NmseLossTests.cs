using BeeFormer.Streaming.Encoder;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class NmseLossTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Written_out_gradient_equals_dense_autograd(int seed)
    {
        const int items = 30, users = 25, dimension = 11;
        var random = new Random(seed);
        var pairs = Enumerable.Range(0, 150).Select(_ => (User: random.Next(users), Item: random.Next(items), Weight: 0.1f + random.NextSingle())).ToArray();
        var interactions = InteractionColumns.Of(users, items, pairs.Select(p => p.User).ToArray(), pairs.Select(p => p.Item).ToArray(), pairs.Select(p => p.Weight).ToArray());
        var draw = new ItemSampler(interactions, maxUsers: 20, seed).Draw(18);
        Assert.InRange(draw.Users, 5, 20);
        float[] a = [.. Enumerable.Range(0, 18 * dimension).Select(_ => random.NextSingle() - 0.4f)];
        for (int row = 0; row < 18; row++) RowArithmetic.Normalize(a.AsSpan(row * dimension, dimension));

        var gradient = new float[a.Length];
        double loss = NmseLoss.Compute(draw, a, dimension, gradient, new ParallelOptions());

        using var scope = NewDisposeScope();
        var dense = new float[draw.Users, 18];
        for (int user = 0; user < draw.Users; user++)
            for (int n = draw.RowStart[user]; n < draw.RowStart[user + 1]; n++) dense[user, draw.Column[n]] = draw.RowWeight[n];
        var x = tensor(dense);
        var rows = tensor(a, [18, dimension], requires_grad: true);
        var p = nn.functional.relu(x.mm(rows).mm(rows.t()) - x);
        var expected = (p / p.norm(1, keepdim: true) - x / x.norm(1, keepdim: true)).pow(2).mean();
        expected.backward();
        Assert.Equal(expected.item<float>(), loss, 1e-6);
        float[] expectedGradient = rows.grad!.data<float>().ToArray();
        float largest = expectedGradient.Max(Math.Abs);
        Assert.True(largest > 1e-4);
        for (int i = 0; i < gradient.Length; i++) Assert.Equal(expectedGradient[i], gradient[i], largest * 1e-4f);
    }

    [Fact]
    public void User_to_whom_nothing_is_predicted_gives_no_gradient()
    {
        var interactions = InteractionColumns.Of(1, 2, [0, 0], [0, 1]);
        var draw = new ItemSampler(interactions, 10, seed: 1).Draw(2);
        var gradient = new float[4];
        double loss = NmseLoss.Compute(draw, [1, 0, 0, 1], 2, gradient, new ParallelOptions()); // x·A·Aᵀ = x
        Assert.Equal(0.5, loss, 1e-6);
        Assert.Equal(new float[4], gradient);
    }
}
