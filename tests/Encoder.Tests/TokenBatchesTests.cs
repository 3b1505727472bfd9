using FsCheck.Xunit;

namespace BeeFormer.Streaming.Encoder.Tests;

public class TokenBatchesTests
{
    [Property]
    public void Every_text_is_in_one_batch_and_no_batch_outgrows_the_budget(byte[] lengths)
    {
        int[][] tokens = [.. lengths.Select(n => new int[n])];
        List<int[]> batches = [.. TokenBatches.Of(tokens, 100)];
        Assert.Equal(Enumerable.Range(0, tokens.Length), batches.SelectMany(b => b).Order());
        Assert.All(batches, b => Assert.True(b.Length == 1 || b.Length * b.Max(i => tokens[i].Length) <= 100));
    }

    [Fact]
    public void A_long_text_among_short_ones_pads_nobody()
    {
        int[][] tokens = [.. Enumerable.Range(0, 20).Select(i => new int[i == 7 ? 90 : 5])];
        int[][] batches = [.. TokenBatches.Of(tokens, 100)];
        Assert.Equal([7], batches[0]);
        Assert.Equal(19, batches[1].Length);
    }

    [Fact]
    public void Longest_texts_come_first()
    {
        int[][] tokens = [new int[1], new int[50], new int[20]];
        Assert.Equal([1, 2, 0], TokenBatches.Of(tokens, 50).SelectMany(b => b));
    }
}
