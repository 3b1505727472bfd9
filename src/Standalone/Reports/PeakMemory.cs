using System.Diagnostics;
using System.Globalization;

namespace BeeFormer.Streaming.Standalone.Reports;

internal static class PeakMemory
{
    /// <summary>The most memory that this process held at once, native memory included, in MB.</summary>
    public static double Megabytes()
    {
        if (OperatingSystem.IsLinux())
        {
            string? line = File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            if (line is not null) return Math.Round(double.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024, 1);
        }
        using Process self = Process.GetCurrentProcess();
        return Math.Round(self.PeakWorkingSet64 / 1048576.0, 1);
    }
}
