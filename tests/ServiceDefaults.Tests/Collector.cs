using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.ServiceDefaults.Tests;

/// <summary>Takes what is sent over OTLP (http/protobuf).</summary>
internal sealed class Collector : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<Span> _spans = new();
    private readonly ConcurrentDictionary<string, int> _requests = new();
    private int _refused;

    private Collector()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        _app = builder.Build();
        _app.Run(TakeAsync);
    }

    public string Url => _app.Urls.Single();
    public IReadOnlyList<Span> Spans => [.. _spans];
    /// <summary>Paths that something was sent to.</summary>
    public IReadOnlyCollection<string> Paths => [.. _requests.Keys];
    /// <summary>Answers 503 to everything.</summary>
    public bool Refusing { get; set; }
    public int Refused => Volatile.Read(ref _refused);

    public static async Task<Collector> StartAsync()
    {
        var collector = new Collector();
        await collector._app.StartAsync(Waiting.Token);
        return collector;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        string path = context.Request.Path.Value!;
        if (Refusing)
        {
            Interlocked.Increment(ref _refused);
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }
        if (path == "/v1/traces")
            foreach (var span in Span.In(body.ToArray())) _spans.Enqueue(span);
        _requests.AddOrUpdate(path, 1, (_, sent) => sent + 1);
        context.Response.ContentType = "application/x-protobuf";
    }
}
