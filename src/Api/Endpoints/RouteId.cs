using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// An id from the path as the client meant it. The server leaves %2F encoded in the path and decodes the rest, so <c>a%2Fb</c> and <c>a%252Fb</c> look the same in a
/// route value; the request line tells them apart.
/// </summary>
internal static class RouteId
{
    /// <param name="name">The route value, used when there is no request line.</param>
    /// <param name="segmentsAfter">Path segments that follow the id.</param>
    public static string Read(HttpContext context, string name, int segmentsAfter = 0)
    {
        string? target = context.Features.Get<IHttpRequestFeature>()?.RawTarget;
        if (string.IsNullOrEmpty(target)) return (string)context.Request.RouteValues[name]!;
        int query = target.IndexOf('?', StringComparison.Ordinal);
        string[] segments = (query < 0 ? target : target[..query]).TrimEnd('/').Split('/');
        return Uri.UnescapeDataString(segments[^(1 + segmentsAfter)]);
    }
}
