using Polly;
using Polly.Retry;
using Polly.Timeout;
using StackExchange.Redis;

namespace BeeFormer.Streaming.Profiles.Redis;

/// <summary>How Redis is called: every call may be repeated, has a time limit, and fails with a sentence.</summary>
/// <param name="servers">For that sentence: endpoints, never the password.</param>
internal sealed class RedisCalls(string servers, TimeProvider time)
{
    /// <summary>Tries after the first, for a change and for a reader who has somebody waiting.</summary>
    public const int ChangeRetries = 5, ReadRetries = 1;
    private static readonly TimeSpan ChangeLimit = TimeSpan.FromSeconds(30), ReadLimit = TimeSpan.FromSeconds(3);

    private readonly ResiliencePipeline _change = Pipeline(ChangeRetries, ChangeLimit, time), _read = Pipeline(ReadRetries, ReadLimit, time);

    public Task<T> ChangeAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken) => CallAsync(_change, call, cancellationToken);

    public Task<T> ReadAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken) => CallAsync(_read, call, cancellationToken);

    /// <summary>For callers that cannot wait otherwise.</summary>
    public T Read<T>(Func<T> call)
    {
        try
        {
            return _read.Execute(call);
        }
        catch (Exception e) when (e is RedisException or TimeoutException or ExecutionRejectedException)
        {
            throw Failure(e);
        }
    }

    private async Task<T> CallAsync<T>(ResiliencePipeline pipeline, Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            // The client knows no cancellation; what it still gets as an answer is dropped.
            return await pipeline.ExecuteAsync(async token => await call().WaitAsync(token).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RedisException or TimeoutException or ExecutionRejectedException)
        {
            throw Failure(e);
        }
    }

    private static ResiliencePipeline Pipeline(int retries, TimeSpan limit, TimeProvider time) =>
        new ResiliencePipelineBuilder { TimeProvider = time }
            .AddTimeout(limit)
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = attempt => ValueTask.FromResult(MayPass(attempt.Outcome.Exception)),
                MaxRetryAttempts = retries,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = TimeSpan.FromSeconds(0.2),
                MaxDelay = TimeSpan.FromSeconds(2),
            })
            .Build();

    private static bool MayPass(Exception? failure) =>
        failure is RedisConnectionException or RedisTimeoutException or TimeoutException
        || failure is RedisServerException
        {
            Kind: RedisErrorKind.Loading or RedisErrorKind.ReadOnly or RedisErrorKind.ClusterDown or RedisErrorKind.MasterDown or RedisErrorKind.NoReplicas or RedisErrorKind.TryAgain or RedisErrorKind.Busy or RedisErrorKind.MaxClients
        };

    private IOException Failure(Exception e) => new($"Redis at {servers} {What(e)}; see Redis:Configuration", e);

    private static string What(Exception e) => e switch
    {
        RedisServerException => $"refused a call: {e.Message}",
        RedisConnectionException connection => $"could not be reached ({connection.FailureType})",
        _ => "did not answer in time",
    };
}
