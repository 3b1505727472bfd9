namespace BeeFormer.Streaming.EventLog.Tests.Kafka;

/// <summary>A store as Ingest's: ranges of offsets, created exclusively, that alone say where reading goes on.</summary>
internal sealed class LandedSegments
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, List<string>> _values = [];

    public long Next(int partition)
    {
        lock (_gate) return Of(partition).Count;
    }

    /// <summary>False: somebody else landed that range.</summary>
    public bool TryLand(int partition, long first, IReadOnlyList<string> values)
    {
        lock (_gate)
        {
            if (Of(partition).Count != first) return false;
            Of(partition).AddRange(values);
            return true;
        }
    }

    public IReadOnlyList<string> Values(int partition)
    {
        lock (_gate) return [.. Of(partition)];
    }

    private List<string> Of(int partition) => _values.TryGetValue(partition, out var values) ? values : _values[partition] = [];
}
