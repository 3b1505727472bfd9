using System.Globalization;
using BeeFormer.Streaming.Servers;

namespace BeeFormer.Streaming.Chaos;

/// <summary>Resident memory of each service, looked at every few seconds.</summary>
internal sealed class MemoryWatch : IDisposable
{
    private const long Most = 3L << 30;
    private readonly Dictionary<string, List<long>> _bytes = [];
    private readonly Timer _timer;

    public MemoryWatch(Installation installation) => _timer = new Timer(_ =>
    {
        foreach (ServiceProcess service in installation.Services)
            if (service.Resident is { } bytes)
                lock (_bytes)
                {
                    if (!_bytes.TryGetValue(service.Name, out var seen)) _bytes[service.Name] = seen = [];
                    seen.Add(bytes);
                }
    }, null, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(3));

    public void Check(Verdict verdict, double minutes)
    {
        _timer.Dispose();
        lock (_bytes)
            foreach (var (name, seen) in _bytes.OrderBy(service => service.Key))
            {
                long largest = seen.Max();
                // A restart begins low; in a long run the last third has to be like the one before it.
                long before = Median(seen[(seen.Count / 3)..(seen.Count * 2 / 3)]), after = Median(seen[(seen.Count * 2 / 3)..]);
                bool grows = minutes >= 10 && after > before * 3 / 2 + (200L << 20);
                verdict.Check(largest < Most && !grows, string.Create(CultureInfo.InvariantCulture, $"{name}: {largest >> 20} MiB resident at most, {before >> 20} and {after >> 20} in the second and last third"));
            }
    }

    public void Dispose() => _timer.Dispose();

    private static long Median(List<long> values) => values.Count == 0 ? 0 : values.Order().ElementAt(values.Count / 2);
}
