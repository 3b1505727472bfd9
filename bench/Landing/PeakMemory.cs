using System.Globalization;

/// <summary>The process's memory while something runs: whether it grows with the number of events.</summary>
internal sealed class PeakMemory : IDisposable
{
    private readonly List<long> _resident = [];
    private readonly Timer _timer;

    public PeakMemory() => _timer = new Timer(_ =>
    {
        lock (_resident) _resident.Add(Environment.WorkingSet);
    }, null, 0, 100);

    public string Thirds()
    {
        lock (_resident)
            return string.Join(", ", Enumerable.Range(1, 3).Select(third => (_resident[Math.Max(0, _resident.Count * third / 3 - 1)] / 1e6).ToString("F0", CultureInfo.InvariantCulture)));
    }

    public void Dispose() => _timer.Dispose();
}
