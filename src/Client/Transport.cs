using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace BeeFormer.Streaming.Client;

/// <summary>How often a call is sent, and how long it may take.</summary>
/// <param name="Attempt">Time limit of each attempt.</param>
internal sealed record Patience(ResiliencePipeline Whole, ResiliencePipeline Attempt);

/// <summary>Requests out, answers or exceptions back.</summary>
internal sealed class Transport : IDisposable
{
    /// <summary>Longest answer that is read, in bytes.</summary>
    private const int MaxAnswerBytes = 256 * 1024 * 1024;

    private static readonly UriCreationOptions AsWritten = new() { DangerousDisablePathAndQueryCanonicalization = true }; // ids may be . and ..
    private static readonly ResiliencePropertyKey<long> Began = new("began");

    private readonly HttpClient _http;
    private readonly bool _owned;
    private readonly string _server;
    private readonly AuthenticationHeaderValue? _key;

    /// <param name="http">Null: one of its own.</param>
    public Transport(BeeFormerClientOptions options, HttpClient? http, TimeProvider time)
    {
        options.Check();
        _owned = http is null;
        _http = http ?? new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // the key is for this server
            ConnectTimeout = options.AttemptTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5), // names may come to mean other addresses
        })
        { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = MaxAnswerBytes };
        _server = options.Server.AbsoluteUri.TrimEnd('/');
        _key = options.ApiKey is null ? null : new AuthenticationHeaderValue("Bearer", options.ApiKey);
        Time = time;
        var attempt = Limited(options.AttemptTimeout);
        Retried = new Patience(Repeated(options.Timeout, options.Retries, options.RetryDelay), attempt);
        Single = new Patience(ResiliencePipeline.Empty, attempt);
        LongRetried = new Patience(Repeated(options.LongTimeout, options.Retries, options.RetryDelay), Limited(options.LongTimeout));
        LongSingle = new Patience(ResiliencePipeline.Empty, LongRetried.Attempt);
    }

    public TimeProvider Time { get; }

    /// <summary>For what does the same when it is done twice.</summary>
    public Patience Retried { get; }

    /// <summary>One attempt: what would not, and what is repeated by somebody else.</summary>
    public Patience Single { get; }

    public Patience LongRetried { get; }
    public Patience LongSingle { get; }

    /// <param name="path">Below the server's address, escaped.</param>
    /// <param name="body">JSON.</param>
    public async Task<T> SendAsync<T>(Patience patience, HttpMethod method, string path, byte[]? body, JsonTypeInfo<T> answer, CancellationToken cancellationToken)
    {
        BeeFormerException? last = null;
        ResilienceContext context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(Began, Time.GetTimestamp());
        try
        {
            return await patience.Whole.ExecuteAsync(async call =>
            {
                try
                {
                    return await AttemptAsync(patience.Attempt, method, path, body, answer, call.CancellationToken).ConfigureAwait(false);
                }
                catch (BeeFormerException failure)
                {
                    last = failure;
                    throw;
                }
            }, context).ConfigureAwait(false);
        }
        catch (TimeoutRejectedException over)
        {
            throw last ?? new NoAnswerException($"{_server} did not answer {method} {path} within {over.Timeout.TotalSeconds:0.###} s.", transient: true, over);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async Task<T> AttemptAsync<T>(ResiliencePipeline limit, HttpMethod method, string path, byte[]? body, JsonTypeInfo<T> answer, CancellationToken cancellationToken)
    {
        try
        {
            return await limit.ExecuteAsync(async token =>
            {
                using var request = new HttpRequestMessage(method, new Uri(_server + path, AsWritten));
                request.Headers.Authorization = _key;
                if (body is not null) request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
                using HttpResponseMessage response = await _http.SendAsync(request, token).ConfigureAwait(false);
                using Stream content = await response.Content.ReadAsStreamAsync(token).ConfigureAwait(false);
                if (!response.IsSuccessStatusCode) throw Problem(response, content);
                return JsonSerializer.Deserialize(content, answer) ?? throw new JsonException("null");
            }, cancellationToken).ConfigureAwait(false);
        }
        catch (JsonException unexpected)
        {
            throw new NoAnswerException($"{_server} answered {method} {path} with something else than expected; is it a BeeFormer.Streaming server of this version?", transient: false, unexpected);
        }
        catch (HttpRequestException tooLong) when (tooLong.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            throw new NoAnswerException($"{_server} answered {method} {path} with more than is read: {tooLong.Message}", transient: false, tooLong);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is TimeoutRejectedException or OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new NoAnswerException($"{_server} did not answer {method} {path}: {failure.Message}", transient: true, failure);
        }
    }

    private ProblemException Problem(HttpResponseMessage response, Stream content)
    {
        int status = (int)response.StatusCode;
        ProblemBody? problem = null;
        try
        {
            problem = JsonSerializer.Deserialize(content, WireJson.Default.ProblemBody);
        }
        catch (JsonException)
        {
            // Something between here and the server answered.
        }
        return new ProblemException(status, problem?.Code ?? $"status_{status}", problem?.Detail ?? $"{_server} answered {response.RequestMessage?.Method} {response.RequestMessage?.RequestUri?.AbsolutePath} with status {status}.")
        {
            Field = problem?.Field,
            TraceId = problem?.TraceId,
            Verdicts = problem?.Verdicts ?? [],
            RetryAfter = response.Headers.RetryAfter switch
            {
                { Delta: { } wait } => wait,
                { Date: { } at } => at - Time.GetUtcNow() is var wait && wait > TimeSpan.Zero ? wait : TimeSpan.Zero,
                _ => null,
            },
        };
    }

    private ResiliencePipeline Limited(TimeSpan timeout) => new ResiliencePipelineBuilder { TimeProvider = Time }.AddTimeout(timeout).Build();

    private ResiliencePipeline Repeated(TimeSpan whole, int retries, TimeSpan delay)
    {
        var builder = new ResiliencePipelineBuilder { TimeProvider = Time }.AddTimeout(whole);
        if (retries == 0) return builder.Build();
        return builder.AddRetry(new RetryStrategyOptions
        {
            // Who is told to wait for longer than there is time learns it at once.
            ShouldHandle = attempt => ValueTask.FromResult(attempt.Outcome.Exception is BeeFormerException { Transient: true } failure
                && (failure.RetryAfter ?? TimeSpan.Zero) < whole - Time.GetElapsedTime(attempt.Context.Properties.GetValue(Began, 0))),
            MaxRetryAttempts = retries,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = delay,
            DelayGenerator = attempt => ValueTask.FromResult(Wait(attempt.Outcome.Exception, delay)),
        }).Build();
    }

    /// <returns>What the server asked for, but never no wait at all; null: it did not.</returns>
    public static TimeSpan? Wait(Exception? failure, TimeSpan least) =>
        failure is BeeFormerException { RetryAfter: { } asked } ? asked > least ? asked : least : null;

    public void Dispose()
    {
        if (_owned) _http.Dispose();
    }
}
