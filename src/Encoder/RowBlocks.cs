using System.Runtime.ExceptionServices;

namespace BeeFormer.Streaming.Encoder;

/// <summary>Work on rows that do not depend on each other, on as many threads as this one may use for a tensor operation: a training's are bounded.</summary>
internal static class RowBlocks
{
    /// <param name="work">Told the first row of a block and the first behind it.</param>
    public static void ForEach(int rows, int rowsPerBlock, Action<int, int> work)
    {
        if (rows <= rowsPerBlock)
        {
            if (rows > 0) work(0, rows);
            return;
        }
        try
        {
            Parallel.For(0, (rows + rowsPerBlock - 1) / rowsPerBlock, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, TorchSharp.torch.get_num_threads()) },
                block => work(block * rowsPerBlock, Math.Min(rows, (block + 1) * rowsPerBlock)));
        }
        catch (AggregateException failures)
        {
            // The same failure whether there is one block or many.
            ExceptionDispatchInfo.Throw(failures.InnerExceptions[0]);
        }
    }
}
