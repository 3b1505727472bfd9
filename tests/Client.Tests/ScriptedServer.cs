using System.Net;
using System.Text;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Client.Tests;

/// <summary>Answers without a network, at a time that the test moves. The last answer goes on for ever.</summary>
internal sealed class ScriptedServer(params Func<HttpResponseMessage>[] answers) : HttpMessageHandler
{
    public sealed record Request(HttpMethod Method, string Target, string? Body, DateTimeOffset At, string? Authorization);

    private readonly List<Request> _requests = [];

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero));

    public IReadOnlyList<Request> Requests
    {
        get
        {
            lock (_requests) return [.. _requests];
        }
    }

    public BeeFormerClient Client(BeeFormerClientOptions? options = null) =>
        new((options ?? new BeeFormerClientOptions { Server = null! }) with { Server = new Uri("http://shop.test/base/") }, new HttpClient(this), Time);

    public static Func<HttpResponseMessage> Says(string json, int status = 200, string? retryAfter = null) => () =>
    {
        var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        if (retryAfter is not null) response.Headers.Add("Retry-After", retryAfter);
        return response;
    };

    public static Func<HttpResponseMessage> Throws(Exception failure) => () => throw failure;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string? body = request.Content is null ? null : await request.Content.ReadAsStringAsync(cancellationToken);
        int n;
        lock (_requests)
        {
            n = _requests.Count;
            _requests.Add(new Request(request.Method, request.RequestUri!.PathAndQuery, body, Time.GetUtcNow(), request.Headers.Authorization?.ToString()));
        }
        return answers[Math.Min(n, answers.Length - 1)]();
    }

    /// <summary>Lets time pass until the call has ended.</summary>
    public async Task<T> PassAsync<T>(Task<T> call)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (!call.IsCompleted)
        {
            Time.Advance(TimeSpan.FromMilliseconds(50));
            await tick.WaitForNextTickAsync(Patiently.Token);
        }
        return await call;
    }
}
