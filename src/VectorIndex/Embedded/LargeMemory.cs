using System.Runtime.InteropServices;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>Memory in large pages where the system has them: rows are written in their order, and a page fault every few of them costs more than the writing. Free with <see cref="NativeMemory.AlignedFree"/>.</summary>
internal static unsafe partial class LargeMemory
{
    private const nuint PageBytes = 2 << 20;
    private const int Huge = 14; // MADV_HUGEPAGE

    /// <returns>Not cleared.</returns>
    public static void* Allocate(nuint bytes)
    {
        bool large = bytes >= 2 * PageBytes;
        void* memory = NativeMemory.AlignedAlloc(bytes, large ? PageBytes : 64);
        // A hint: where it is refused, small pages do.
        if (large && OperatingSystem.IsLinux()) _ = Advise(memory, bytes, Huge);
        return memory;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* memory, nuint bytes, int advice);
}
