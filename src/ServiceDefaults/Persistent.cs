using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace BeeFormer.Streaming.ServiceDefaults;

/// <summary>For the loops of a stage, whose work may be repeated and must not be dropped: tries until it succeeds or the host stops.</summary>
public static class Persistent
{
    /// <summary>Retries every failure without end: exponential back-off with jitter from 0.2 s up to 30 s; each failure is logged once. Cancellation ends it.</summary>
    /// <param name="work">What is tried, for the log: "indexing an item batch".</param>
    public static ResiliencePipeline Pipeline(string work, TimeProvider time, ILogger logger) =>
        new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                // A time-out also comes as a cancellation; only the host's own ends the loop.
                ShouldHandle = attempt => ValueTask.FromResult(attempt.Outcome.Exception is not null && !attempt.Context.CancellationToken.IsCancellationRequested),
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = TimeSpan.FromSeconds(0.2),
                MaxDelay = TimeSpan.FromSeconds(30),
                OnRetry = retry =>
                {
                    logger.LogWarning(retry.Outcome.Exception, "{Work} failed, attempt {Attempt}; next one in {DelaySeconds:0.0} s", work, retry.AttemptNumber + 1, retry.RetryDelay.TotalSeconds);
                    return ValueTask.CompletedTask;
                },
            })
            .Build();
}
