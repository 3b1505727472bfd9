namespace BeeFormer.Streaming.Api;

/// <summary>Turns totals that are looked at now and then into rates of the last minute. Safe for several threads.</summary>
internal sealed class RecentRates(TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    /// <summary>Closer looks than this say little, and would make the memory grow.</summary>
    private static readonly TimeSpan Closest = TimeSpan.FromSeconds(0.5);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Queue<(long At, long Total)>> _looks = [];

    /// <returns>Growth per second since the oldest look of the last minute; null: this is the first one.</returns>
    public double? Of(string name, long total)
    {
        lock (_lock)
        {
            if (!_looks.TryGetValue(name, out var looks)) looks = _looks[name] = [];
            long now = time.GetTimestamp();
            while (looks.TryPeek(out var oldest) && (time.GetElapsedTime(oldest.At, now) > Window || oldest.Total > total)) looks.Dequeue();
            double? rate = looks.TryPeek(out var first) && time.GetElapsedTime(first.At, now) is { Ticks: > 0 } since ? (total - first.Total) / since.TotalSeconds : null;
            if (looks.Count == 0 || time.GetElapsedTime(looks.Last().At, now) >= Closest) looks.Enqueue((now, total));
            return rate;
        }
    }
}
