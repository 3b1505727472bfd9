using System.Runtime.CompilerServices;
using BeeFormer.Streaming.Encoder;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Standalone.Hosting;

/// <summary>How many threads one tensor operation may use.</summary>
internal static class TorchThreads
{
    /// <summary>A command that does nothing else takes the whole machine.</summary>
    public static void UseAll() => Use(Math.Max(1, Environment.ProcessorCount));

    /// <summary>Serving keeps a core for itself where there are more than two; with two the kernel shares them out.</summary>
    public static void LeaveOneForServing() => Use(Math.Max(Math.Min(2, Environment.ProcessorCount), Environment.ProcessorCount - 1));

    private static void Use(int threads)
    {
        // The encoder's module says how threads wait, which libtorch reads when the next line loads it.
        RuntimeHelpers.RunModuleConstructor(typeof(SentenceEncoder).Module.ModuleHandle);
        set_num_threads(threads);
    }
}
