using System.Text.Json.Serialization;

namespace BeeFormer.Streaming.Standalone.Replay;

/// <summary>Sums of one ranking over one period. Each interaction has one right answer: the item that was touched.</summary>
internal sealed class PeriodMeasures
{
    public int Count { get; set; }
    public int Hits { get; set; }
    public double Gain { get; set; }
    /// <summary>The same over interactions with items that the user had not touched before, what was touched before taken out of the ranking.</summary>
    public int CountNew { get; set; }
    public int HitsNew { get; set; }
    public double GainNew { get; set; }
    /// <summary>A bit for each item of the catalogue: it stood in somebody's first 20.</summary>
    public byte[] Shown { get; set; } = [];

    /// <param name="above">How many items stood before the one that was touched.</param>
    public void Add(int above)
    {
        Count++;
        if (above >= Ranking.Depth) return;
        Hits++;
        Gain += Discount(above);
    }

    /// <inheritdoc cref="Add"/>
    public void AddNew(int above)
    {
        CountNew++;
        if (above >= Ranking.Depth) return;
        HitsNew++;
        GainNew += Discount(above);
    }

    public void Show(ReadOnlySpan<int> items, int catalogue)
    {
        if (Shown.Length == 0) Shown = new byte[(catalogue + 7) / 8];
        foreach (int item in items) Shown[item >> 3] |= (byte)(1 << (item & 7));
    }

    public static PeriodMeasures Sum(IEnumerable<PeriodMeasures> periods)
    {
        var sum = new PeriodMeasures();
        foreach (PeriodMeasures period in periods)
        {
            sum.Count += period.Count;
            sum.Hits += period.Hits;
            sum.Gain += period.Gain;
            sum.CountNew += period.CountNew;
            sum.HitsNew += period.HitsNew;
            sum.GainNew += period.GainNew;
            if (sum.Shown.Length == 0) sum.Shown = new byte[period.Shown.Length];
            for (int n = 0; n < period.Shown.Length; n++) sum.Shown[n] |= period.Shown[n];
        }
        return sum;
    }

    public PeriodRow Row(string name, int catalogue) => new(name,
        Share(Hits, Count), Share(Gain, Count), Share(Shown.Sum(bits => int.PopCount(bits)), catalogue), Share(HitsNew, CountNew), Share(GainNew, CountNew));

    private static double Discount(int above) => 1 / Math.Log2(above + 2);

    private static double Share(double part, int whole) => whole == 0 ? 0 : part / whole;
}

internal sealed record PeriodRow(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("recall@20")] double Recall,
    [property: JsonPropertyName("ndcg@20")] double Ndcg,
    [property: JsonPropertyName("coverage")] double Coverage,
    [property: JsonPropertyName("recall@20_new")] double RecallNew,
    [property: JsonPropertyName("ndcg@20_new")] double NdcgNew);
