using System.Runtime.InteropServices;

namespace BeeFormer.Streaming.Encoder.Tests;

public sealed partial class PassiveThreadWaitingTests
{
    [Fact]
    public void Native_code_sees_the_policy_once_the_encoder_is_used()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("libtorch uses libgomp on Linux alone.");
        _ = new ItemText();
        // What .NET saw at the start of the process is what the user has set.
        Assert.Equal(Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") ?? "passive", Marshal.PtrToStringUTF8(GetVariable("OMP_WAIT_POLICY")));
    }

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetVariable(string name);
}
