using System.Collections.Frozen;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>Questions to the broker about topics, offsets and groups: asked again while the reason of a failure may pass, within a time limit.</summary>
internal sealed class KafkaRequests(KafkaOptions options, TimeProvider time, ILogger logger)
{
    public const int MaxAttempts = 9;
    /// <summary>The client ends each request by itself in time; its answer takes a moment to get here.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running;
    private bool _closed;

    // A broker that restarts, a coordinator or leader that moves, a topic that not every broker knows yet.
    private static readonly FrozenSet<ErrorCode> Passing = new[]
    {
        ErrorCode.Local_Transport, ErrorCode.Local_TimedOut, ErrorCode.Local_TimedOutQueue, ErrorCode.Local_AllBrokersDown, ErrorCode.Local_WaitCoord, ErrorCode.Local_WaitCache, ErrorCode.Local_Retry,
        ErrorCode.Local_UnknownTopic, ErrorCode.Local_UnknownPartition, ErrorCode.Local_NoEnt, ErrorCode.UnknownTopicOrPart, ErrorCode.LeaderNotAvailable, ErrorCode.NotLeaderForPartition, ErrorCode.ReplicaNotAvailable,
        ErrorCode.RequestTimedOut, ErrorCode.BrokerNotAvailable, ErrorCode.NetworkException, ErrorCode.GroupLoadInProgress, ErrorCode.GroupCoordinatorNotAvailable, ErrorCode.NotCoordinatorForGroup, ErrorCode.NotController,
        ErrorCode.RebalanceInProgress, ErrorCode.KafkaStorageError, ErrorCode.FencedLeaderEpoch, ErrorCode.UnknownLeaderEpoch, ErrorCode.OffsetNotAvailable, ErrorCode.UnstableOffsetCommit,
    }.ToFrozenSet();

    private readonly ResiliencePipeline _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
        .AddTimeout(options.RequestTimeout)
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = attempt => ValueTask.FromResult(attempt.Outcome.Exception is KafkaException { Error: var error } && MayPass(error)),
            MaxRetryAttempts = MaxAttempts - 1,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = TimeSpan.FromSeconds(0.1),
            MaxDelay = TimeSpan.FromSeconds(5),
            OnRetry = retry =>
            {
                logger.LogDebug("Kafka request failed, attempt {Attempt}: {Reason}", retry.AttemptNumber + 1, retry.Outcome.Exception?.Message);
                return ValueTask.CompletedTask;
            },
        })
        .Build();

    /// <summary>How long the client itself waits for one answer.</summary>
    public TimeSpan Timeout => options.RequestTimeout;

    public static bool MayPass(Error error) => !error.IsFatal && Passing.Contains(error.Code);

    /// <param name="what">What is asked, for the message of the failure: "the offsets of topic items".</param>
    /// <exception cref="IOException">No answer in time, or one that another attempt does not mend.</exception>
    public async Task<T> AskAsync<T>(string what, Func<Task<T>> ask, CancellationToken cancellationToken)
    {
        try
        {
            return await _pipeline.ExecuteAsync(async token => await RunAsync(ask).WaitAsync(token).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        }
        catch (KafkaException failure)
        {
            throw new IOException($"Kafka at {options.BootstrapServers}: {what}: {failure.Error.Reason} ({failure.Error.Code})", failure);
        }
        catch (TimeoutRejectedException failure)
        {
            throw new IOException($"Kafka at {options.BootstrapServers}: {what}: no answer within {options.RequestTimeout.TotalSeconds:0.#} s", failure);
        }
    }

    /// <summary>Asks nothing more, and waits for what was asked, whether or not anybody still waits for the answer: native memory must not be freed under a question.</summary>
    /// <returns>False: something still runs, and the client must not be freed.</returns>
    public async Task<bool> CloseAsync()
    {
        lock (_lock)
        {
            _closed = true;
            if (_running == 0) return true;
        }
        try
        {
            await _idle.Task.WaitAsync(options.RequestTimeout + Grace, time).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private async Task<T> RunAsync<T>(Func<Task<T>> ask)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            _running++;
        }
        try
        {
            return await ask().ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
                if (--_running == 0 && _closed) _idle.TrySetResult();
        }
    }
}
