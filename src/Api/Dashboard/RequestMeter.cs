using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace BeeFormer.Streaming.Api;

/// <summary>Counts and times what this process answers under <c>/v1</c>, by endpoint.</summary>
internal sealed class RequestMeter(TimeProvider time)
{
    private readonly RollingLatency _all = new(time);
    // As many as there are endpoints.
    private readonly ConcurrentDictionary<string, RollingLatency> _routes = new(StringComparer.Ordinal);

    public LatencySummary All => _all.Read();

    public IReadOnlyList<(string Route, LatencySummary Latency)> Routes =>
        [.. _routes.Select(route => (route.Key, route.Value.Read())).Where(route => route.Item2.P50Ms is not null).OrderBy(route => route.Key, StringComparer.Ordinal)];

    /// <summary>Middleware, inside of what turns exceptions into answers.</summary>
    public async Task MeasureAsync(HttpContext context, RequestDelegate next)
    {
        long began = time.GetTimestamp();
        bool failed = true;
        try
        {
            await next(context);
            failed = context.Response.StatusCode >= StatusCodes.Status500InternalServerError;
        }
        catch (Exception client) when (client is BadHttpRequestException || context.RequestAborted.IsCancellationRequested)
        {
            failed = false;
            throw;
        }
        finally
        {
            Note(context, time.GetElapsedTime(began), failed);
        }
    }

    private void Note(HttpContext context, TimeSpan elapsed, bool failed)
    {
        if (Route(context) is not { } route) return;
        _all.Note(elapsed, failed);
        _routes.GetOrAdd(route, _ => new RollingLatency(time)).Note(elapsed, failed);
    }

    private static string? Route(HttpContext context) =>
        (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText is { } pattern && pattern.StartsWith("/v1/", StringComparison.Ordinal) ? $"{context.Request.Method} {pattern}" : null;
}
