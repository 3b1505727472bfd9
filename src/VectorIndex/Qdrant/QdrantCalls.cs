using System.Globalization;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;
using Qdrant.Client.Grpc;
using QdrantService = Qdrant.Client.Grpc.Qdrant;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>
/// How Qdrant is called: each attempt has a deadline, what may pass is tried again, what does not becomes a sentence. Whatever is sent may be sent twice: points are written on the condition that what is
/// stored is older, the rest says what shall be, not what shall change.
/// </summary>
internal sealed class QdrantCalls : IDisposable
{
    /// <summary>Tries after the first, for a change and for a reader who has somebody waiting.</summary>
    public const int WriteRetries = 6, ReadRetries = 2;
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly GrpcChannel channel;
    private readonly Metadata headers = [];
    private readonly string endpoint;
    private readonly TimeSpan readTimeout, writeTimeout;
    private readonly ResiliencePipeline read, write;
    private readonly QdrantService.QdrantClient server;
    private volatile bool serverWillDo;

    public QdrantCalls(QdrantOptions options, TimeProvider time, ILogger logger)
    {
        channel = QdrantChannel.Open(options);
        if (QdrantChannel.Key(options) is { } key) headers.Add("api-key", key);
        endpoint = options.Endpoint;
        (readTimeout, writeTimeout) = (options.ReadTimeout, options.WriteTimeout);
        (read, write) = (Pipeline(ReadRetries, MayPassForReads, time, logger), Pipeline(WriteRetries, MayPass, time, logger));
        server = new QdrantService.QdrantClient(channel);
        Collections = new Collections.CollectionsClient(channel);
        Points = new Points.PointsClient(channel);
    }

    public Collections.CollectionsClient Collections { get; }
    public Points.PointsClient Points { get; }

    /// <summary>Seconds after which the server shall give up by itself, a little before the deadline: many calls that the client ends make the server end the connection.</summary>
    public ulong ReadSeconds => SecondsBelow(readTimeout);

    /// <inheritdoc cref="ReadSeconds"/>
    public ulong WriteSeconds => SecondsBelow(writeTimeout);

    /// <param name="call">For the sentence, such as <c>Points/Count</c>.</param>
    /// <param name="collection">What NOT_FOUND is about; null: NOT_FOUND is a failure like another.</param>
    public async Task<T> ReadAsync<T>(string call, string? collection, Func<CallOptions, AsyncUnaryCall<T>> send, CancellationToken cancellationToken)
    {
        await CheckServerAsync(cancellationToken).ConfigureAwait(false);
        return await CallAsync(read, readTimeout, call, collection, async options => await send(options).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="ReadAsync"/>
    public async Task<T> WriteAsync<T>(string call, string? collection, Func<CallOptions, AsyncUnaryCall<T>> send, CancellationToken cancellationToken)
    {
        await CheckServerAsync(cancellationToken).ConfigureAwait(false);
        return await CallAsync(write, writeTimeout, call, collection, async options => await send(options).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A change of points; with <paramref name="wait"/> it has been applied on return.</summary>
    /// <inheritdoc cref="ReadAsync"/>
    public async Task ApplyAsync(string call, string collection, bool wait, Func<CallOptions, AsyncUnaryCall<PointsOperationResponse>> send, CancellationToken cancellationToken)
    {
        await CheckServerAsync(cancellationToken).ConfigureAwait(false);
        await CallAsync(write, writeTimeout, call, collection, async options =>
        {
            var answer = await send(options).ConfigureAwait(false);
            var status = answer.Result?.Status ?? UpdateStatus.UnknownUpdateStatus;
            if (wait && status != UpdateStatus.Completed) throw new RpcException(new Status(StatusCode.DeadlineExceeded, $"the server answers {status}, expected {UpdateStatus.Completed}"));
            return answer;
        }, cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => channel.Dispose();

    private async ValueTask CheckServerAsync(CancellationToken cancellationToken)
    {
        if (serverWillDo) return; // several at once may ask
        var reply = await CallAsync(read, readTimeout, "Qdrant/HealthCheck", null, async options => await server.HealthCheckAsync(new HealthCheckRequest(), options).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        if (ServerVersion.Refusal(reply.Version) is { } refusal) throw new InvalidOperationException($"Qdrant at {endpoint} {refusal}; see Qdrant:Endpoint.");
        serverWillDo = true;
    }

    private async Task<T> CallAsync<T>(ResiliencePipeline pipeline, TimeSpan limit, string call, string? collection, Func<CallOptions, Task<T>> send, CancellationToken cancellationToken)
    {
        try
        {
            // The deadline is the client library's, which goes by the system's clock.
            return await pipeline.ExecuteAsync(async token => await send(new CallOptions(headers, TimeProvider.System.GetUtcNow().UtcDateTime + limit, token)).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException($"{call} was cancelled.", e, cancellationToken);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound && collection is not null)
        {
            throw new KeyNotFoundException($"There is no collection {collection} in Qdrant at {endpoint}.", e);
        }
        catch (RpcException e)
        {
            string hint = e.StatusCode is StatusCode.Unauthenticated or StatusCode.PermissionDenied ? "; see Qdrant:ApiKey" : "";
            throw new IOException($"Qdrant at {endpoint} did not do {call}: {e.StatusCode}, {e.Status.Detail}{hint}", e);
        }
    }

    private ResiliencePipeline Pipeline(int retries, Func<RpcException, bool> mayPass, TimeProvider time, ILogger logger) =>
        new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = attempt => ValueTask.FromResult(!attempt.Context.CancellationToken.IsCancellationRequested && attempt.Outcome.Exception is RpcException failure && mayPass(failure)),
                DelayGenerator = attempt => ValueTask.FromResult(attempt.Outcome.Exception is RpcException failure ? RetryAfter(failure) : null),
                MaxRetryAttempts = retries,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = TimeSpan.FromSeconds(0.2),
                MaxDelay = TimeSpan.FromSeconds(10),
                OnRetry = attempt =>
                {
                    logger.LogWarning("Qdrant at {Endpoint}: {Failure}; next attempt in {DelaySeconds:0.0} s", endpoint, (attempt.Outcome.Exception as RpcException)?.Status, attempt.RetryDelay.TotalSeconds);
                    return ValueTask.CompletedTask;
                },
            })
            .Build();

    /// <summary>INTERNAL of a server is what a change has done to it; one of the client is a broken connection.</summary>
    private static bool MayPass(RpcException failure) => failure.StatusCode switch
    {
        StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Aborted or StatusCode.Cancelled => true,
        StatusCode.ResourceExhausted => RetryAfter(failure) <= LongestWait,
        StatusCode.Internal => failure.Status.DebugException is not null,
        _ => false,
    };

    /// <summary>A server alone says INTERNAL when a read took it too long.</summary>
    private static bool MayPassForReads(RpcException failure) => failure.StatusCode == StatusCode.Internal || MayPass(failure);

    private static TimeSpan? RetryAfter(RpcException failure) =>
        failure.StatusCode == StatusCode.ResourceExhausted
        && double.TryParse(failure.Trailers.GetValue("retry-after"), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds < 1e6
            ? TimeSpan.FromSeconds(seconds) : null;

    private static ulong SecondsBelow(TimeSpan limit) => (ulong)Math.Max(1, Math.Ceiling(limit.TotalSeconds) - 1);
}
