using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Ingest.Tests;

/// <summary>A window store that outlives "processes" in a test and fails on demand.</summary>
internal sealed class MemoryWindowStore : IWindowStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Topic, int Partition), long> _next = [];

    public List<StoredInteraction> Interactions { get; } = [];
    public List<StoredItem> Items { get; } = [];
    public List<(string Topic, long First, long Last)> Segments { get; } = [];
    /// <summary>Asked at each step; throws to make it fail.</summary>
    public Action<string> Before { get; set; } = _ => { };
    /// <summary>Raised after each segment.</summary>
    public Action Written { get; set; } = () => { };

    public long NextOffset(string topic, int partition)
    {
        lock (_gate) return _next.GetValueOrDefault((topic, partition));
    }

    public long? FirstCovered(string topic, int partition, long from) => from < NextOffset(topic, partition) ? from : null;

    public bool TryWriteInteractions(int partition, long first, long last, IReadOnlyList<StoredInteraction> rows) =>
        TryWrite(Topics.Interactions, partition, first, last, () => Interactions.AddRange(rows));

    public bool TryWriteItems(int partition, long first, long last, IReadOnlyList<StoredItem> rows) =>
        TryWrite(Topics.Items, partition, first, last, () => Items.AddRange(rows));

    public void Erase(UserId user, long atMs)
    {
        Before("forget");
        lock (_gate) Interactions.RemoveAll(row => row.User == user);
    }

    private bool TryWrite(string topic, int partition, long first, long last, Action add)
    {
        Before("write");
        lock (_gate)
        {
            long next = _next.GetValueOrDefault((topic, partition));
            if (first < next) return false;
            if (first > next || last < first) throw new InvalidOperationException($"gap: segment {first}-{last} follows {next}");
            add();
            _next[(topic, partition)] = last + 1;
            Segments.Add((topic, first, last));
        }
        Before("written"); // durable, but the writer does not learn of it
        Written();
        return true;
    }

    public InteractionWindow Read(WindowQuery query) => throw new NotSupportedException();
    public IReadOnlyList<StoredItem> ReadCatalogue() => throw new NotSupportedException();
    public IReadOnlyList<StoredItem> ReadCatalogue(IReadOnlyDictionary<int, long> asOf) => throw new NotSupportedException();
    public void ScanCatalogue(IReadOnlyDictionary<int, long> asOf, bool descriptions, Action<CatalogueRow> take) => throw new NotSupportedException();
    public IReadOnlyDictionary<int, long> NextOffsets(string topic) => throw new NotSupportedException();
    public bool IsErased(UserId user, long timestampMs) => false;
    public IReadOnlyList<Erasure> Erasures() => [];
    public IReadOnlyList<string> FindUser(UserId user) => throw new NotSupportedException();
    public WindowSummary Describe() => throw new NotSupportedException();
    public IReadOnlySet<string> EventIds(string prefix) => throw new NotSupportedException();
}
