using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using BeeFormer.Streaming.Trainer.Wire;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// A worker as the Trainer sees it: away, joining, or ready. Each call has a deadline; a broken connection is tried again, a worker that needs too long is not. One that went is called again after a
/// while, ever later; one that gave what cannot be, or will not have us, is left out for the rest of the training.
/// </summary>
internal sealed class RemoteWorker : IDisposable
{
    /// <summary>Shares that a worker has at once: one that it computes, and one that waits or whose result is on its way.</summary>
    public const int Lanes = 2;
    /// <summary>Tries after the first.</summary>
    public const int Retries = 2;
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(5), LongestPause = TimeSpan.FromMinutes(10);

    private readonly WorkersOptions _options;
    private readonly string _endpoint;
    private readonly Guid _session;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly GrpcChannel _channel;
    private readonly EncoderWorker.EncoderWorkerClient _client;
    private readonly ResiliencePipeline _pipeline;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly int _dimension;
    private readonly long _weightBytes;

    private Task? _joining;
    private bool _joined, _leftOut;
    private int _failures;
    private long _failedAt;

    public RemoteWorker(string endpoint, WorkersOptions options, Guid session, int dimension, long weightBytes, TimeProvider clock, ILogger logger)
    {
        (_endpoint, _options, _session, _dimension, _weightBytes, _clock, _logger) = (endpoint, options, session, dimension, weightBytes, clock, logger);
        _channel = GrpcChannel.ForAddress(endpoint, new GrpcChannelOptions
        {
            // A client, not its handler: so that each attempt connects, and none is refused for the sake of one that failed before.
            HttpClient = new HttpClient(new SocketsHttpHandler
            {
                EnableMultipleHttp2Connections = true,
                KeepAlivePingDelay = TimeSpan.FromSeconds(15),
                KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
                ConnectTimeout = TimeSpan.FromSeconds(5),
                SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = TrustIn(options.CaCertificate) },
            }) { Timeout = Timeout.InfiniteTimeSpan },
            DisposeHttpClient = true,
            CompressionProviders = [],
        });
        _client = new EncoderWorker.EncoderWorkerClient(_channel);
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = clock }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = attempt => ValueTask.FromResult(!attempt.Context.CancellationToken.IsCancellationRequested && attempt.Outcome.Exception is RpcException failure && MayPass(failure)),
                MaxRetryAttempts = Retries,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = TimeSpan.FromMilliseconds(50),
            })
            .Build();
    }

    /// <summary>Bytes of tensors sent and received.</summary>
    public long Sent, Received;

    /// <summary>Whether it has the encoder and answers.</summary>
    public bool IsReady
    {
        get
        {
            lock (_gate) return _joined;
        }
    }

    /// <summary>Ends when it has, or has failed to get, the encoder; at once when it is not joining.</summary>
    public Task Joining
    {
        get
        {
            lock (_gate) return _joining ?? Task.CompletedTask;
        }
    }

    /// <summary>Number of the weights that it has been sent, or is being sent.</summary>
    public long Version { get; private set; }

    /// <summary>Ends when it has the weights of <see cref="Version"/>.</summary>
    public Task Weights { get; private set; } = Task.CompletedTask;

    /// <summary>Begins to send it the weights if it is ready, and the whole encoder if it is away and its pause is over.</summary>
    /// <param name="weights">Stay as they are until <see cref="Weights"/> has ended.</param>
    public void BeginStep(long version, byte[][] weights, string folder, Opening opening)
    {
        lock (_gate)
        {
            if (_joined && !Weights.IsCompleted) return; // still at those of an earlier step; takes part again when it has caught up
            if (_joined)
            {
                Version = version;
                Weights = SendWeightsAsync(version, weights);
            }
            else if (!_leftOut && _joining is null or { IsCompleted: true } && (_failures == 0 || _clock.GetElapsedTime(_failedAt) >= Pause)) _joining = JoinAsync(folder, opening);
        }
    }

    private TimeSpan Pause => _failures <= 1 ? TimeSpan.Zero : TimeSpan.FromTicks((long)Math.Min(LongestPause.Ticks, FirstPause.Ticks * Math.Pow(2, _failures - 2)));

    private async Task JoinAsync(string folder, Opening opening)
    {
        try
        {
            Joined joined = await CallAsync("Join", 0, _options.JoinDeadline, async call =>
            {
                using AsyncClientStreamingCall<ModelPart, Joined> join = _client.Join(call);
                return await SendAsync(join.ResponseAsync, async () =>
                {
                    await join.RequestStream.WriteAsync(new ModelPart { Opening = opening }, call.CancellationToken).ConfigureAwait(false);
                    await ModelFolder.SendAsync(folder, part =>
                    {
                        Interlocked.Add(ref Sent, part.Content.Length);
                        return join.RequestStream.WriteAsync(part, call.CancellationToken);
                    }, call.CancellationToken).ConfigureAwait(false);
                    await join.RequestStream.CompleteAsync().ConfigureAwait(false);
                }).ConfigureAwait(false);
            }, _ended.Token).ConfigureAwait(false);
            if (joined.WeightBytes != _weightBytes) throw LeaveOut(new InvalidDataException($"weight_bytes is {joined.WeightBytes}; expected {_weightBytes}."));
            lock (_gate) _joined = true;
            _logger.LogInformation("Worker {Endpoint} has joined", _endpoint);
        }
        catch (Exception gone) when (gone is WorkerGoneException or OperationCanceledException)
        {
            // Said where it failed.
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            _logger.LogWarning(failure, "The encoder could not be read for worker {Endpoint}", _endpoint);
        }
    }

    private Task<Taken> SendWeightsAsync(long version, byte[][] weights) => CallAsync("TakeWeights", version, _options.Deadline, async call =>
    {
        using AsyncClientStreamingCall<Part, Taken> take = _client.TakeWeights(call);
        return await SendAsync(take.ResponseAsync, async () =>
        {
            await TensorStream.SendAsync(weights, part =>
            {
                Interlocked.Add(ref Sent, part.Content.Length);
                return take.RequestStream.WriteAsync(part, call.CancellationToken);
            }).ConfigureAwait(false);
            await take.RequestStream.CompleteAsync().ConfigureAwait(false);
        }).ConfigureAwait(false);
    }, _ended.Token);

    /// <returns>Embeddings of each chunk, float32 [texts, d].</returns>
    /// <param name="first">Number of the first chunk.</param>
    /// <exception cref="WorkerGoneException">It is not ready any more.</exception>
    public Task<byte[][]> EmbedAsync(int first, int[][][] chunks, CancellationToken cancellationToken) => CallAsync("Embed", Version, _options.Deadline, async call =>
    {
        using AsyncDuplexStreamingCall<Chunk, Part> embed = _client.Embed(call);
        return await ExchangeAsync<byte[][]>(embed, first, chunks, null, async stream =>
        {
            var rows = new List<byte[]>();
            while (await stream.MoveNext(call.CancellationToken).ConfigureAwait(false))
            {
                int expected = rows.Count == chunks.Length ? 0 : chunks[rows.Count].Length * _dimension * sizeof(float);
                if (stream.Current.Content.Length != expected || expected == 0) throw new InvalidDataException($"content of chunk {rows.Count} has {stream.Current.Content.Length} bytes; expected {expected}.");
                if (!TensorBytes.AreFinite(stream.Current.Content.Span)) throw new InvalidDataException($"content of chunk {rows.Count} holds numbers that are not finite.");
                rows.Add(stream.Current.Content.ToByteArray());
                Interlocked.Add(ref Received, expected);
            }
            return rows.Count == chunks.Length ? [.. rows] : throw new InvalidDataException($"content of {rows.Count} chunks came; expected {chunks.Length}.");
        }, call.CancellationToken).ConfigureAwait(false);
    }, cancellationToken);

    /// <returns>The sum of the gradients of all weights, in parts (<see cref="TensorBytes"/>).</returns>
    /// <inheritdoc cref="EmbedAsync"/>
    public async Task<byte[][]> BackPropagateAsync(int first, int[][][] chunks, byte[][] gradients, CancellationToken cancellationToken)
    {
        byte[][] sum = await CallAsync("BackPropagate", Version, _options.Deadline, async call =>
        {
            using AsyncDuplexStreamingCall<Chunk, Part> back = _client.BackPropagate(call);
            return await ExchangeAsync<byte[][]>(back, first, chunks, gradients, async stream =>
            {
                byte[][] parts = await TensorStream.ReceiveAsync(stream, _weightBytes, call.CancellationToken).ConfigureAwait(false);
                Interlocked.Add(ref Received, _weightBytes);
                return Array.TrueForAll(parts, part => TensorBytes.AreFinite(part)) ? parts : throw new InvalidDataException("content holds numbers that are not finite.");
            }, call.CancellationToken).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
        lock (_gate) _failures = 0;
        return sum;
    }

    /// <summary>Sends the chunks and reads the answers beside it. What the worker says about a failure is in the answers, not in the sending.</summary>
    private async Task<T> ExchangeAsync<T>(AsyncDuplexStreamingCall<Chunk, Part> exchange, int first, int[][][] chunks, byte[][]? gradients, Func<IAsyncStreamReader<Part>, Task<T>> read, CancellationToken cancellationToken)
    {
        Task sending = SendChunksAsync();
        try
        {
            return await read(exchange.ResponseStream).ConfigureAwait(false);
        }
        finally
        {
            exchange.Dispose();
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task SendChunksAsync()
        {
            for (int n = 0; n < chunks.Length; n++)
            {
                Chunk chunk = ChunkMessage.Of(first + n, chunks[n], gradients?[n] ?? ReadOnlyMemory<byte>.Empty);
                Interlocked.Add(ref Sent, chunk.Gradient.Length + sizeof(int) * chunk.Ids.Count);
                await exchange.RequestStream.WriteAsync(chunk, cancellationToken).ConfigureAwait(false);
            }
            await exchange.RequestStream.CompleteAsync().ConfigureAwait(false);
        }
    }

    private static async Task<T> SendAsync<T>(Task<T> answer, Func<Task> send)
    {
        Task sending = send();
        await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // Local files are the one thing that fails without the call's doing.
        if (sending.Exception?.InnerException is IOException or UnauthorizedAccessException && !answer.IsCompleted) await sending.ConfigureAwait(false);
        return await answer.ConfigureAwait(false);
    }

    private async Task<T> CallAsync<T>(string call, long version, TimeSpan limit, Func<CallOptions, Task<T>> send, CancellationToken cancellationToken)
    {
        try
        {
            // The deadline is the client library's, which goes by the system's clock.
            return await _pipeline.ExecuteAsync(async token => await send(new CallOptions(Headers(version), TimeProvider.System.GetUtcNow().UtcDateTime + limit, token)).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException($"{call} was cancelled.", cancellationToken);
        }
        catch (RpcException refusal) when (refusal.StatusCode is StatusCode.InvalidArgument or StatusCode.Unauthenticated or StatusCode.PermissionDenied or StatusCode.Unimplemented)
        {
            throw LeaveOut(refusal);
        }
        catch (InvalidDataException lie)
        {
            throw LeaveOut(lie);
        }
        catch (RpcException failure)
        {
            lock (_gate)
            {
                (_joined, _failedAt) = (false, _clock.GetTimestamp());
                _failures++;
            }
            _logger.LogWarning("Worker {Endpoint} did not do {Call}: {Status}, {Detail}; others do its part, and it is called again", _endpoint, call, failure.StatusCode, failure.Status.Detail);
            throw new WorkerGoneException($"{_endpoint} did not do {call}.", failure);
        }
    }

    private WorkerGoneException LeaveOut(Exception why)
    {
        lock (_gate) (_joined, _leftOut) = (false, true);
        _logger.LogError("Worker {Endpoint} is left out of this training: {Problem}", _endpoint, (why as RpcException)?.Status.Detail ?? why.Message);
        return new WorkerGoneException($"{_endpoint} is left out.", why);
    }

    private Metadata Headers(long version)
    {
        var headers = new Metadata { { "session", _session.ToString() }, { "version", version.ToString(CultureInfo.InvariantCulture) } };
        if (!string.IsNullOrEmpty(_options.Token)) headers.Add("authorization", $"Bearer {_options.Token}");
        return headers;
    }

    private static bool MayPass(RpcException failure) => failure.StatusCode switch
    {
        StatusCode.Unavailable or StatusCode.Aborted or StatusCode.Cancelled => true,
        StatusCode.Internal => failure.Status.DebugException is not null, // a broken connection, not what a worker says
        _ => false,
    };

    private static X509ChainPolicy? TrustIn(string? file)
    {
        if (string.IsNullOrEmpty(file)) return null;
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(file);
        return policy;
    }

    /// <summary>Lets the worker go; one that does not hear it is free after a while.</summary>
    public void Dispose()
    {
        _ended.Cancel();
        Task.WhenAll(Joining, Weights).ContinueWith(_ => { }, TaskScheduler.Default).Wait();
        try
        {
            if (IsReady) _client.Leave(new Left(), new CallOptions(Headers(0), TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(2)));
        }
        catch (RpcException failure)
        {
            _logger.LogInformation("Worker {Endpoint} did not hear that the training has ended: {Status}", _endpoint, failure.StatusCode);
        }
        _channel.Dispose();
        _ended.Dispose();
    }
}
