using System.Net;
using System.Net.Sockets;
using Amazon.Runtime;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace BeeFormer.Streaming;

/// <summary>
/// Repeats calls that may succeed the next time: server errors, throttling, time-outs, connections that broke. An answer is no failure: refused conditions, missing objects and denied
/// access are never repeated.
/// </summary>
/// <param name="Timeout">Of one attempt. Default 60 seconds.</param>
/// <param name="Retries">Attempts after the first. Default 4; 0: there is one.</param>
/// <param name="Delay">Before the first retry; doubles, with jitter. Default 0.2 seconds.</param>
internal sealed record S3Resilience(TimeSpan Timeout, int Retries, TimeSpan Delay, TimeProvider Time)
{
    private readonly ResiliencePipeline pipeline = Pipeline(Timeout, Retries, Delay, Time);

    public S3Resilience(TimeProvider time) : this(TimeSpan.FromSeconds(60), 4, TimeSpan.FromSeconds(0.2), time) { }

    /// <summary>The same for a call that moves so many bytes: a second more for each MB.</summary>
    public S3Resilience For(long bytes) => new(Timeout + TimeSpan.FromSeconds(bytes / 1_000_000), Retries, Delay, Time);

    /// <summary>Waits for the result: the store's callers are synchronous.</summary>
    public T Run<T>(Func<CancellationToken, Task<T>> call) =>
        pipeline.ExecuteAsync(async token => await call(token).ConfigureAwait(false)).AsTask().GetAwaiter().GetResult();

    private static ResiliencePipeline Pipeline(TimeSpan timeout, int retries, TimeSpan delay, TimeProvider time)
    {
        var pipeline = new ResiliencePipelineBuilder { TimeProvider = time };
        if (retries > 0) pipeline.AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = attempt => ValueTask.FromResult(attempt.Outcome.Exception is { } failure && MayPass(failure)),
            MaxRetryAttempts = retries,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = delay,
        });
        return pipeline.AddTimeout(timeout).Build();
    }

    private static bool MayPass(Exception failure) => failure switch
    {
        AmazonServiceException { StatusCode: >= HttpStatusCode.InternalServerError or HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout } => true,
        AmazonServiceException { StatusCode: 0, InnerException: HttpRequestException or IOException or OperationCanceledException } => true,
        AmazonServiceException { ErrorCode: "RequestTimeout" } => true, // S3 answers so, with 400, when a body does not come
        AmazonServiceException => false,
        HttpRequestException or IOException or SocketException or TimeoutRejectedException or TaskCanceledException => true,
        _ => false,
    };
}
