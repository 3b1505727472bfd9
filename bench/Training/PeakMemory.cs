using System.Diagnostics;
using System.Globalization;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.Trainer;

namespace BeeFormer.Streaming.Training;

/// <summary>The largest resident memory of one training step, each in a process of its own.</summary>
internal static class PeakMemory
{
    /// <summary>Texts are cut short: what grows with their length is bounded by chunk and graph memory alike, and 10,000 of them stay a matter of minutes.</summary>
    private const int Tokens = 16;

    public static void Print(IEnumerable<int> sizes, int users)
    {
        Console.WriteLine();
        Console.WriteLine($"Peak resident memory of a step, {users} users, texts of {Tokens} tokens, graph_memory_mb as the policy's default:");
        foreach (int items in sizes)
            foreach (double frozen in (double[])[0.5, 0])
            {
                var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
                if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(PeakMemory).Assembly.Location);
                foreach (string argument in (string[])["--step", items.ToString(CultureInfo.InvariantCulture), "--users", users.ToString(CultureInfo.InvariantCulture), "--frozen", frozen.ToString(CultureInfo.InvariantCulture)])
                    start.ArgumentList.Add(argument);
                using Process child = Process.Start(start)!;
                Console.WriteLine($"m = {items,6}, frozen_layers {frozen}: {child.StandardOutput.ReadToEnd().Trim()}");
                child.WaitForExit();
            }
    }

    /// <summary>What the child does.</summary>
    public static void Step(int items, int users, double frozen, int graphMemoryMb, string model)
    {
        Shop shop = Shop.Of(null, 0, items, users);
        string cache = Directory.CreateTempSubdirectory("training-bench-").FullName;
        try
        {
            long before = Resident("VmRSS");
            using var side = new OwnStep("memory", shop, new TrainingPolicy { MaxOutput = items, FrozenLayers = frozen, GraphMemoryMb = graphMemoryMb }, model, Tokens, cache);
            side.Step();
            Console.WriteLine($"{Resident("VmHWM") / 1024,6} MiB, {before / 1024} MiB of them before the encoder was loaded");
        }
        finally
        {
            Directory.Delete(cache, recursive: true);
        }
    }

    /// <returns>KiB</returns>
    private static long Resident(string key) =>
        long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith(key, StringComparison.Ordinal)).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
