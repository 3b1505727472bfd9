using System.Diagnostics.Metrics;

namespace BeeFormer.Streaming.Api;

/// <summary>Measures of the meter <c>BeeFormer.Streaming.Api</c>: what happens to variants; as many labels as variants are configured.</summary>
internal sealed class VariantMetrics
{
    public const string MeterName = "BeeFormer.Streaming.Api";

    private readonly Counter<long> _lists, _impressions, _clicks, _purchases, _hits;

    public VariantMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _lists = meter.CreateCounter<long>("variants.lists", "{list}", "Lists of recommendations that users were shown, by variant");
        _impressions = meter.CreateCounter<long>("variants.impressions", "{item}", "Items in the lists that users were shown, by variant");
        _clicks = meter.CreateCounter<long>("variants.clicks", "{item}", "Items shown that the user then viewed or clicked, by variant");
        _purchases = meter.CreateCounter<long>("variants.purchases", "{purchase}", "Purchases by users who had been shown a list, by variant");
        _hits = meter.CreateCounter<long>("variants.hits", "{purchase}", "Purchases of an item among the first 20 of the list that the user was shown last, by variant");
    }

    public void Add(string variant, Tally more)
    {
        var tag = KeyValuePair.Create("variant", (object?)variant);
        if (more.Lists > 0) _lists.Add(more.Lists, tag);
        if (more.Impressions > 0) _impressions.Add(more.Impressions, tag);
        if (more.Clicks > 0) _clicks.Add(more.Clicks, tag);
        if (more.Purchases > 0) _purchases.Add(more.Purchases, tag);
        if (more.Hits > 0) _hits.Add(more.Hits, tag);
    }
}
