using System.Collections.Concurrent;
using System.Text.Json;
using BeeFormer.Streaming.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Client.Tests;

/// <summary>
/// A server over real connections that fails as a test wants: each request takes the next answer of the script, and when the script is over all goes well. Events are kept as the real server keeps them,
/// by their id, across restarts.
/// </summary>
internal sealed class Shop : IAsyncDisposable
{
    private readonly int _port = Ports.Take();
    private readonly ConcurrentQueue<Func<HttpContext, Task<bool>>> _script = new();
    private readonly List<string> _events = [];
    private int _requests;
    private WebApplication? _app;

    public Uri Address => new($"http://127.0.0.1:{_port}");

    /// <summary>Requests that came, refused ones included.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Ids of all events that were taken, repeated ones as often as they came.</summary>
    public IReadOnlyList<string> Taken
    {
        get
        {
            lock (_events) return [.. _events];
        }
    }

    public IReadOnlyList<string> Distinct => [.. Taken.Distinct()];

    /// <summary>Is an event acceptable? By default all are.</summary>
    public Func<JsonElement, bool> Accepts { get; set; } = _ => true;

    /// <summary>Most events in one request.</summary>
    public int MaxBatch { get; set; } = 10_000;

    public static async Task<Shop> OpenAsync()
    {
        var shop = new Shop();
        await shop.StartAsync();
        return shop;
    }

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls(Address.ToString());
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(1)); // a server that dies waits for nobody
        _app = builder.Build();
        _app.Run(AnswerAsync);
        await _app.StartAsync(Patiently.Token);
    }

    public async Task StopAsync()
    {
        if (_app is null) return;
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        _app = null;
    }

    /// <summary>The next request is refused.</summary>
    public Shop Refuse(int status, string body = "", string? retryAfter = null) => Then(async context =>
    {
        context.Response.StatusCode = status;
        if (retryAfter is not null) context.Response.Headers.RetryAfter = retryAfter;
        if (body.Length > 0) context.Response.ContentType = "application/problem+json";
        await context.Response.WriteAsync(body);
        return false;
    });

    /// <summary>The next request is never answered.</summary>
    public Shop Hang() => Then(async context =>
    {
        var gone = new TaskCompletionSource();
        using (context.RequestAborted.Register(gone.SetResult)) await gone.Task;
        return false;
    });

    /// <summary>The next request is carried out, and the connection cut before the answer.</summary>
    public Shop CutAfterTaking() => Then(async context =>
    {
        await TakeAsync(context);
        context.Abort();
        return false;
    });

    /// <summary>The next answer ends in its middle.</summary>
    public Shop CutAnswer() => Then(async context =>
    {
        context.Response.ContentLength = 1000;
        await context.Response.WriteAsync("{\"items\": [");
        await context.Response.Body.FlushAsync();
        context.Abort();
        return false;
    });

    /// <summary>The next request is answered with this.</summary>
    public Shop Answer(string body, int status = 200) => Then(async context =>
    {
        context.Response.StatusCode = status;
        await context.Response.WriteAsync(body);
        return false;
    });

    /// <returns>False from the step: it has answered.</returns>
    public Shop Then(Func<HttpContext, Task<bool>> step)
    {
        _script.Enqueue(step);
        return this;
    }

    public void Forget() => _script.Clear();

    private async Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref _requests);
        if (_script.TryDequeue(out var step) && !await step(context)) return;
        if (context.Request.Path == "/v1/events") await TakeAsync(context);
        else await context.Response.WriteAsync("""{"items": [], "model_version": "000001-aaaaaaaa", "fingerprint": "aaaaaaaa", "index_generation": 1}""");
    }

    private async Task TakeAsync(HttpContext context)
    {
        var sent = (await context.Request.ReadFromJsonAsync<JsonElement>()).EnumerateArray().ToList();
        if (sent.Count > MaxBatch)
        {
            context.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
            await context.Response.WriteAsJsonAsync(new { code = "too_large", detail = $"events has {sent.Count} entries; at most {MaxBatch} are allowed.", field = "events" });
            return;
        }
        List<object> verdicts;
        lock (_events)
            verdicts = [.. sent.Select((one, index) =>
            {
                if (!Accepts(one)) return (object)new { index, status = "refused", reason = "invalid_field", message = "type is none that this shop knows" };
                string id = one.GetProperty("event_id").GetString()!;
                bool known = _events.Contains(id);
                _events.Add(id);
                return new { index, status = known ? "duplicate" : "accepted" };
            })];
        int refused = sent.Count(one => !Accepts(one));
        context.Response.StatusCode = refused == sent.Count ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status202Accepted;
        await context.Response.WriteAsJsonAsync(refused == sent.Count
            ? new { code = "nothing_accepted", detail = "None of the entries is acceptable.", verdicts }
            : (object)new { accepted = sent.Count - refused, duplicate = 0, refused, verdicts });
    }

    public async ValueTask DisposeAsync() => await StopAsync();
}
