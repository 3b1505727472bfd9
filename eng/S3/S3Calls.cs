using System.Runtime.ExceptionServices;

namespace BeeFormer.Streaming;

internal static class S3Calls
{
    private const int MostAtOnce = 8;

    /// <summary>Results in the order of the source.</summary>
    public static TResult[] AtOnce<TSource, TResult>(IEnumerable<TSource> source, Func<TSource, TResult> call)
    {
        try
        {
            return [.. source.AsParallel().AsOrdered().WithDegreeOfParallelism(MostAtOnce).Select(call)];
        }
        catch (AggregateException failures)
        {
            ExceptionDispatchInfo.Throw(failures.InnerExceptions[0]);
            throw;
        }
    }
}
