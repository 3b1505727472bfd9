using System.Globalization;
using System.Runtime.InteropServices;
using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Standalone.Doctor;

/// <summary>Processor, cores, memory, open files, clock.</summary>
internal static class MachineChecks
{
    private const long GiB = 1L << 30;

    /// <summary>Beside the graphs of a training: program, encoder, window.</summary>
    private const long Base = 2 * GiB, Least = GiB;
    private const long FewFiles = 4_096, FewestFiles = 256;

    public static Finding Processor(Machine machine)
    {
        string found = $"{machine.Architecture}{(machine.Features.Count == 0 ? "" : $" with {string.Join(", ", machine.Features)}")}; can encode in {string.Join(", ", SentenceEncoder.Supported).ToLowerInvariant()}";
        if (machine.Architecture != Architecture.X64) return Finding.Problem("processor", found, "Run on a 64-bit x86 processor: libtorch comes with the program for that one alone.");
        return machine.Features.Contains("AVX2") ? Finding.Ok("processor", found)
            : Finding.Warning("processor", found, "Expect encoding and training to be several times slower than on a processor with AVX2 and FMA.");
    }

    public static Finding Cores(Machine machine) => machine.Cores > 1 ? Finding.Ok("cores", string.Create(CultureInfo.InvariantCulture, $"{machine.Cores}"))
        : Finding.Warning("cores", "1", "Give the program 2 cores or more: requests wait while a training computes.");

    /// <param name="graphMemoryMb">Of the policy.</param>
    public static Finding Memory(Machine machine, int graphMemoryMb)
    {
        long wanted = Base + ((long)graphMemoryMb << 20);
        string found = $"{Size(machine.MemoryBytes)} for this process";
        return machine.MemoryBytes < Least ? Finding.Problem("memory", found, $"Give the process at least {Size(Least)}, better {Size(wanted)}.")
            : machine.MemoryBytes < wanted ? Finding.Warning("memory", found, $"Fine-tuning an encoder may take {Size(wanted)} with the policy's graph_memory_mb of {graphMemoryMb}: set that lower, or max_memory, or give the process more.")
            : Finding.Ok("memory", found);
    }

    public static Finding OpenFiles(Machine machine) => machine.OpenFiles switch
    {
        null => Finding.Ok("open files", "the system does not tell"),
        < FewestFiles => Finding.Problem("open files", Limit(machine.OpenFiles.Value), $"Raise the limit to {FewFiles} or more (ulimit -n, LimitNOFILE=)."),
        < FewFiles => Finding.Warning("open files", Limit(machine.OpenFiles.Value), $"Raise the limit to {FewFiles} or more (ulimit -n, LimitNOFILE=): segments, index and connections are files."),
        _ => Finding.Ok("open files", Limit(machine.OpenFiles.Value)),
    };

    /// <param name="written">When this program was written; no clock is right that is before it.</param>
    /// <param name="newest">When something in the data folder changed last; null: nothing is there.</param>
    /// <param name="allowed">How far one clock may be ahead of the other.</param>
    public static Finding Clock(DateTimeOffset now, DateTimeOffset written, DateTimeOffset? newest, TimeSpan allowed)
    {
        string found = now.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        if (now < written - TimeSpan.FromDays(1)) return Finding.Problem("clock", found, "Set the clock: it is before the time at which this program was made.");
        return newest is { } last && last > now + allowed
            ? Finding.Warning("clock", $"{found}; the data folder changed at {last.UtcDateTime:yyyy-MM-dd HH:mm:ss'Z'}", "Set the clock: it was ahead before, or is behind now. Events of the time between become dead letters (Ingest:AllowedClockError).")
            : Finding.Ok("clock", found);
    }

    public static string Size(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)GiB:0.0} GiB");

    private static string Limit(long files) => files == long.MaxValue ? "no limit" : string.Create(CultureInfo.InvariantCulture, $"at most {files}");
}
