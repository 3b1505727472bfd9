using System.Collections.Concurrent;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>A thread that does one piece of work after the other: tensors, dispose scopes and the number of threads belong to it.</summary>
internal sealed class ComputeThread : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;

    public ComputeThread(int threads)
    {
        _thread = new Thread(() =>
        {
            TrainingThread.YieldToOthers();
            set_num_threads(threads);
            foreach (Action piece in _work.GetConsumingEnumerable()) piece();
        })
        { IsBackground = true, Name = "training, worker" };
        _thread.Start();
    }

    public Task<T> RunAsync<T>(Func<T> work)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                result.SetResult(work());
            }
            catch (Exception exception)
            {
                result.SetException(exception);
            }
        });
        return result.Task;
    }

    public Task RunAsync(Action work) => RunAsync(() =>
    {
        work();
        return true;
    });

    /// <summary>Ends after what was asked for.</summary>
    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
    }
}
