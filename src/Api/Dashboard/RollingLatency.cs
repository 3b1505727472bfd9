namespace BeeFormer.Streaming.Api;

/// <summary>How many requests of late, and how long they took: a histogram of the last minute in memory that does not grow. Safe for several threads.</summary>
internal sealed class RollingLatency(TimeProvider time)
{
    private const int Slots = 12, BucketsPerOctave = 8, Octaves = 21;
    private const double FirstMs = 0.05;
    private static readonly TimeSpan SlotLength = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly long _began = time.GetTimestamp();
    private readonly (long Number, int Failed, int[] Counts)[] _slots = [.. Enumerable.Range(0, Slots).Select(_ => (-1L, 0, new int[BucketsPerOctave * Octaves]))];

    public void Note(TimeSpan elapsed, bool failed)
    {
        int bucket = (int)Math.Clamp(Math.Ceiling(Math.Log2(elapsed.TotalMilliseconds / FirstMs) * BucketsPerOctave), 0, BucketsPerOctave * Octaves - 1);
        lock (_lock)
        {
            long number = (long)(time.GetElapsedTime(_began) / SlotLength);
            ref var slot = ref _slots[number % Slots];
            if (slot.Number != number)
            {
                (slot.Number, slot.Failed) = (number, 0);
                Array.Clear(slot.Counts);
            }
            slot.Counts[bucket]++;
            if (failed) slot.Failed++;
        }
    }

    public LatencySummary Read()
    {
        int[] counts = new int[BucketsPerOctave * Octaves];
        int failed = 0;
        TimeSpan elapsed = time.GetElapsedTime(_began);
        long now = (long)(elapsed / SlotLength);
        lock (_lock)
        {
            foreach (var slot in _slots)
            {
                if (slot.Number <= now - Slots) continue;
                failed += slot.Failed;
                for (int n = 0; n < counts.Length; n++) counts[n] += slot.Counts[n];
            }
        }
        int all = counts.Sum();
        double seconds = Math.Max(1, (elapsed - SlotLength * Math.Max(0, now - Slots + 1)).TotalSeconds);
        return new LatencySummary(all / seconds, failed / seconds, Percentile(counts, all, 0.5), Percentile(counts, all, 0.95), Percentile(counts, all, 0.99));
    }

    /// <returns>Upper end of the bucket, at most 9 % too much; null without requests.</returns>
    private static double? Percentile(int[] counts, int all, double share)
    {
        if (all == 0) return null;
        int below = 0, bucket = 0;
        while ((below += counts[bucket]) < share * all) bucket++;
        return FirstMs * Math.Pow(2, bucket / (double)BucketsPerOctave);
    }
}

/// <param name="PerSecond">Of the last minute, as all that follows.</param>
/// <param name="FailedPerSecond">Answered with 5xx.</param>
/// <param name="P50Ms">Null: no request in the last minute.</param>
internal sealed record LatencySummary(double PerSecond, double FailedPerSecond, double? P50Ms, double? P95Ms, double? P99Ms);
