using System.Diagnostics.Metrics;

namespace BeeFormer.Streaming.Indexer;

/// <summary>Measures of the meter <c>BeeFormer.Streaming.Indexer</c>.</summary>
internal sealed class IndexerMetrics
{
    public const string MeterName = "BeeFormer.Streaming.Indexer";

    private readonly TimeProvider _time;
    private readonly Counter<long> _events;
    private readonly Histogram<double> _freshness;
    private readonly Counter<long> _failed;
    private readonly Counter<long> _rebuilt;
    private readonly Counter<long> _repaired;
    private readonly Counter<long> _outages;
    private long _left;

    public IndexerMetrics(IMeterFactory meters, TimeProvider time)
    {
        _time = time;
        var meter = meters.Create(MeterName);
        _events = meter.CreateCounter<long>("indexer.events", "{event}", "Changes of items that became searchable; of several in one batch the newest");
        _freshness = meter.CreateHistogram<double>("indexer.freshness", "s", "From the moment in which the log took a change until it was searchable");
        _failed = meter.CreateCounter<long>("indexer.items_failed", "{item}", "Items for which a model gave no usable vector");
        _rebuilt = meter.CreateCounter<long>("indexer.rebuild.items", "{item}", "Items brought into collections that are built");
        meter.CreateObservableGauge("indexer.rebuild.left", () => Interlocked.Read(ref _left), "{item}", "Items that the collection under construction lacks; 0 when none is built");
        _repaired = meter.CreateCounter<long>("indexer.repaired", "{item}", "Items that the index had lost, or held though they are gone");
        _outages = meter.CreateCounter<long>("indexer.failures", "{failure}", "Calls that the index did not answer and that are repeated");
    }

    public void Searchable(IReadOnlyCollection<ItemChange> changes)
    {
        long now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        _events.Add(changes.Count);
        foreach (var change in changes) _freshness.Record(Math.Max(0, now - change.LoggedAtMs) / 1000.0);
    }

    public void ItemFailed(string collection) => _failed.Add(1, new KeyValuePair<string, object?>("collection", collection));

    /// <param name="items">Brought in since the last call.</param>
    public void Rebuilt(long items, long left)
    {
        _rebuilt.Add(items);
        Interlocked.Exchange(ref _left, left);
    }

    public void Repaired(long items) => _repaired.Add(items);

    public void Failed() => _outages.Add(1);
}
