namespace BeeFormer.Streaming.Trainer;

/// <summary>Neighbouring chunks of a step that are dealt out together. What their gradients add up to does not depend on who computes them.</summary>
internal readonly record struct Share(int First, int End)
{
    public IEnumerable<int> Chunks => Enumerable.Range(First, End - First);

    /// <summary>At most <paramref name="count"/> shares of about as many tokens each; none is empty.</summary>
    public static Share[] Cut(int[][][] chunks, int count)
    {
        long[] tokens = [.. chunks.Select(chunk => chunk.Sum(text => (long)text.Length))];
        long all = tokens.Sum(), before = 0;
        var shares = new List<Share>();
        int first = 0;
        for (int n = 0; n < chunks.Length; n++)
        {
            before += tokens[n];
            if (n + 1 < chunks.Length && before * count < all * (shares.Count + 1)) continue;
            shares.Add(new Share(first, n + 1));
            first = n + 1;
        }
        return [.. shares];
    }
}
