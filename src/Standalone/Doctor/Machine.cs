using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace BeeFormer.Streaming.Standalone.Doctor;

/// <summary>What the computer offers.</summary>
/// <param name="Features">Of the processor, those that encoding and training gain from.</param>
/// <param name="MemoryBytes">What a process may take: of the machine, or of its container.</param>
/// <param name="OpenFiles">How many files the process may have open; null: the system does not tell.</param>
/// <param name="FreeBytes">Of the disk that holds a folder.</param>
/// <param name="FileSystem">That holds a folder, such as <c>ext4</c>; null: the system does not tell.</param>
internal sealed record Machine(
    Architecture Architecture, IReadOnlyList<string> Features, int Cores, long MemoryBytes, long? OpenFiles, Func<string, long> FreeBytes, Func<string, string?> FileSystem)
{
    public static Machine This() => new(RuntimeInformation.ProcessArchitecture, ProcessorFeatures(), Environment.ProcessorCount, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        OpenFileLimit(), folder => new DriveInfo(folder).AvailableFreeSpace, FileSystemOf);

    private static List<string> ProcessorFeatures()
    {
        var features = new List<string>();
        if (Avx2.IsSupported && Fma.IsSupported) features.Add("AVX2");
        if (Avx512F.IsSupported) features.Add("AVX-512");
        if (!X86Base.IsSupported || X86Base.CpuId(0, 0).Eax < 7) return features;
        (int _, int _, int ecx, int edx) = X86Base.CpuId(7, 0);
        int eax = X86Base.CpuId(7, 1).Eax;
        if ((ecx & 1 << 11) != 0 || (eax & 1 << 4) != 0) features.Add("VNNI");
        if ((eax & 1 << 5) != 0) features.Add("BF16");
        if ((edx & 1 << 24) != 0) features.Add("AMX");
        return features;
    }

    private static long? OpenFileLimit()
    {
        const string Limits = "/proc/self/limits", Row = "Max open files";
        if (!File.Exists(Limits)) return null;
        string? row = File.ReadLines(Limits).FirstOrDefault(line => line.StartsWith(Row, StringComparison.Ordinal));
        string? soft = row?[Row.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return soft == "unlimited" ? long.MaxValue : long.TryParse(soft, CultureInfo.InvariantCulture, out long number) ? number : null;
    }

    /// <summary>The innermost mount that holds the folder.</summary>
    private static string? FileSystemOf(string folder)
    {
        const string Mounts = "/proc/self/mounts";
        if (!File.Exists(Mounts)) return null;
        return File.ReadLines(Mounts).Select(line => line.Split(' ')).Where(mount => mount.Length > 2 && Holds(mount[1].Replace("\\040", " ", StringComparison.Ordinal), folder))
            .OrderBy(mount => mount[1].Length).Select(mount => mount[2]).LastOrDefault();
    }

    private static bool Holds(string mount, string folder) => mount == "/" || folder == mount || folder.StartsWith(mount + "/", StringComparison.Ordinal);
}
