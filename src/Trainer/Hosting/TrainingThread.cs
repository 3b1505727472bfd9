using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>A thread of its own for one training: its tensor operations use few cores, and serving goes before it.</summary>
internal static partial class TrainingThread
{
    private const int Process = 0, Self = 0, Nice = 10;     // PRIO_PROCESS with id 0: on Linux the calling thread

    public static Task<T> RunAsync<T>(int threads, Func<T> work)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                YieldToOthers();
                set_num_threads(threads);
                result.SetResult(work());
            }
            catch (Exception exception)
            {
                result.SetException(exception);
            }
        })
        { IsBackground = true, Name = "training" };
        thread.Start();
        return result.Task;
    }

    /// <summary>Linux ignores .NET's thread priorities; there a thread has a nice value of its own, which the threads that libtorch starts from it inherit.</summary>
    internal static void YieldToOthers()
    {
        if (OperatingSystem.IsLinux()) _ = SetPriority(Process, Self, Nice);
        else Thread.CurrentThread.Priority = ThreadPriority.BelowNormal;
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int priority);
}
