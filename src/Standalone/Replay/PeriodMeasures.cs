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

    /// <summary>Lists of at least two items, and the sum of their mean cosines.</summary>
    public int Lists { get; set; }
    public double Likeness { get; set; }
    /// <summary>Places of all lists, and those with a new item.</summary>
    public long Places { get; set; }
    public long NewPlaces { get; set; }

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

    /// <param name="likeness">Mean cosine of two items of the list; null: there are no two.</param>
    /// <param name="fresh">How many of its <paramref name="places"/> hold a new item.</param>
    public void Describe(double? likeness, int places, int fresh)
    {
        if (likeness is { } mean)
        {
            Lists++;
            Likeness += mean;
        }
        Places += places;
        NewPlaces += fresh;
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
            sum.Lists += period.Lists;
            sum.Likeness += period.Likeness;
            sum.Places += period.Places;
            sum.NewPlaces += period.NewPlaces;
            if (sum.Shown.Length == 0) sum.Shown = new byte[period.Shown.Length];
            for (int n = 0; n < period.Shown.Length; n++) sum.Shown[n] |= period.Shown[n];
        }
        return sum;
    }

    public PeriodRow Row(string name, int catalogue) => new(name,
        Share(Hits, Count), Share(Gain, Count), Share(Shown.Sum(bits => int.PopCount(bits)), catalogue), Share(HitsNew, CountNew), Share(GainNew, CountNew),
        Share(Likeness, Lists), Share(NewPlaces, Places));

    private static double Discount(int above) => 1 / Math.Log2(above + 2);

    private static double Share(double part, long whole) => whole == 0 ? 0 : part / whole;
}

/// <param name="Likeness">Mean cosine of two items of a list, by the vectors in service.</param>
/// <param name="NewShare">Share of the places that hold an item with fewer than <see cref="ItemNovelty.Few"/> interactions until then.</param>
internal sealed record PeriodRow(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("recall@20")] double Recall,
    [property: JsonPropertyName("ndcg@20")] double Ndcg,
    [property: JsonPropertyName("coverage")] double Coverage,
    [property: JsonPropertyName("recall@20_new")] double RecallNew,
    [property: JsonPropertyName("ndcg@20_new")] double NdcgNew,
    [property: JsonPropertyName("similarity@20")] double Likeness = 0,
    [property: JsonPropertyName("new_share@20")] double NewShare = 0);
