using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// Tells libgomp, whose threads do libtorch's work, to sleep and not to spin where they wait for each other: on a machine that also serves, a spinning thread
/// holds the core that the thread it waits for needs. libgomp reads the environment once, when libtorch is loaded.
/// </summary>
internal static partial class PassiveThreadWaiting
{
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "Must come before libtorch is loaded, whichever type of the encoder is used first.")]
    internal static void Ask()
    {
        // Not Environment.SetEnvironmentVariable: on Unix, native code does not see what that changes. What the user has set stays.
        if (OperatingSystem.IsLinux()) _ = SetVariable("OMP_WAIT_POLICY", "passive", overwrite: 0);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
