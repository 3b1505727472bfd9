using System.Globalization;
using BeeFormer.Streaming.Standalone.DataSets;

namespace BeeFormer.Streaming.Standalone.Replay;

/// <summary>Cuts a data set into periods: spans of time, or tenths of a file without times.</summary>
internal sealed class Periods
{
    private readonly InteractionTable table;
    private readonly long originMs;
    private readonly long lengthMs;

    public Periods(InteractionTable table, TimeSpan length)
    {
        this.table = table;
        lengthMs = (long)length.TotalMilliseconds;
        long dayMs = (long)TimeSpan.FromDays(1).TotalMilliseconds;
        long firstMs = table.Count == 0 ? 0 : table.TimestampMs[0];
        originMs = lengthMs % dayMs == 0 ? firstMs - (firstMs % dayMs + dayMs) % dayMs : firstMs; // whole days begin at midnight
    }

    /// <summary>The period of the n-th interaction in event-time order.</summary>
    public int Of(int n) => table.Timed ? checked((int)((table.TimestampMs[n] - originMs) / lengthMs)) : (int)(n * 10L / table.Count);

    public string From(int period) => table.Timed ? Time(originMs + period * lengthMs) : $"row {FirstOfTenth(period) + 1}";

    public string To(int period) => table.Timed ? Time(originMs + (period + 1) * lengthMs) : $"row {FirstOfTenth(period + 1)}";

    private long FirstOfTenth(int tenth) => (tenth * (long)table.Count + 9) / 10;

    private static string Time(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
