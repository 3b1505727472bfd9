using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace BeeFormer.Streaming.Serving;

/// <summary>What came of asking for some seconds.</summary>
internal sealed record Load(long Requests, double Seconds, double P50Ms, double P99Ms);

/// <summary>The load generator, a process of its own beside the one that is measured, on the same cores.</summary>
internal static class Wrk
{
    /// <exception cref="InvalidDataException">A request was refused, or had no answer.</exception>
    public static async Task<Load> RunAsync(string url, int clients, int seconds, params string[] arguments)
    {
        var start = new ProcessStartInfo("wrk", ["-t1", $"-c{clients}", $"-d{seconds}s", "--timeout", "60s", "-s", Path.Combine(AppContext.BaseDirectory, "serving.lua"), url, "--", .. arguments]) { RedirectStandardOutput = true };
        using var wrk = Start(start);
        string said = await wrk.StandardOutput.ReadToEndAsync();
        await wrk.WaitForExitAsync();
        string[] figures = said.Split('\n').SingleOrDefault(line => line.StartsWith("result ", StringComparison.Ordinal))?.Split(' ') ?? throw new InvalidDataException($"wrk gave no result: {said}");
        double Figure(int n) => double.Parse(figures[n], CultureInfo.InvariantCulture);
        if (Figure(5) > 0) throw new InvalidDataException($"{figures[5]} of {figures[1]} requests failed: {said}");
        return new Load((long)Figure(1), Figure(2) / 1e6, Figure(3) / 1e3, Figure(4) / 1e3);
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception absent)
        {
            throw new FileNotFoundException("wrk is not on this machine; Debian's package wrk has it.", absent);
        }
    }
}
