namespace BeeFormer.Streaming.Standalone.Replay;

/// <summary>When items of the catalogue were touched first, and often enough to be known, by the numbers of the interactions. It grows, so the number of now names the state of now.</summary>
internal sealed class ItemNovelty(int items)
{
    /// <summary>An item with fewer interactions is new.</summary>
    public const int Few = 5;

    private readonly int[] counts = new int[items];
    private readonly int[] first = [.. Enumerable.Repeat(int.MaxValue, items)];
    private readonly int[] known = [.. Enumerable.Repeat(int.MaxValue, items)];
    private readonly long[] firstMs = new long[items];

    public void Add(int item, int interaction, long timestampMs)
    {
        counts[item]++;
        if (counts[item] == 1) (first[item], firstMs[item]) = (interaction, timestampMs);
        if (counts[item] == Few) known[item] = interaction;
    }

    /// <summary>Before that interaction.</summary>
    public bool IsNew(int item, int interaction) => known[item] >= interaction;

    /// <returns>Null: nobody had touched it before that interaction.</returns>
    public long? AgeMs(int item, int interaction, long nowMs) => first[item] < interaction ? nowMs - firstMs[item] : null;
}
