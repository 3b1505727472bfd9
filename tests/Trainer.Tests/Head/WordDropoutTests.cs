namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class WordDropoutTests
{
    [Theory, InlineData(0, 1.0), InlineData(0.4, 0.6), InlineData(0.95, 0.05)]
    public void The_share_asked_for_is_left_out_and_what_stays_weighs_more(double share, double kept)
    {
        var dropout = new WordDropout(share, seed: 3);
        dropout.Next();
        Assert.Equal(kept, Draws(dropout).Average(keeps => keeps ? 1.0 : 0), 0.01);
        Assert.Equal(1, kept * dropout.Scale, 1e-5);
    }

    [Fact]
    public void Each_step_and_seed_leaves_out_others_and_the_same_seed_the_same()
    {
        var (first, same, other) = (new WordDropout(0.5, 1), new WordDropout(0.5, 1), new WordDropout(0.5, 2));
        bool[] before = [.. Draws(first)];
        Assert.Equal(before, Draws(same));
        Assert.Equal(0.5, Draws(other).Zip(before, (a, b) => a == b ? 1.0 : 0).Average(), 0.02);
        first.Next();
        Assert.Equal(0.5, Draws(first).Zip(before, (a, b) => a == b ? 1.0 : 0).Average(), 0.02);
        same.Next();
        Assert.Equal(Draws(first), Draws(same));
    }

    private static IEnumerable<bool> Draws(WordDropout dropout) => Enumerable.Range(0, 200).SelectMany(item => Enumerable.Range(0, 100).Select(word => dropout.Keeps(item, word)));
}
