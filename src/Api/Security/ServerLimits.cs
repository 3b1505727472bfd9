using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>What the server takes from a client before any endpoint sees it. Headers: 100 of 32 KiB together, a request line of 16 KiB, which holds the longest id and cursor.</summary>
internal static class ServerLimits
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    public static void Set(KestrelServerOptions server, IOptions<ApiOptions> options)
    {
        server.AddServerHeader = false;
        server.Limits.MaxRequestLineSize = 16 * 1024;
        server.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
        server.Limits.MaxRequestHeaderCount = 100;
        server.Limits.RequestHeadersTimeout = options.Value.HeadTimeout;
        server.Limits.MinRequestBodyDataRate = new MinDataRate(options.Value.MinBodyRate, Grace);
        server.Limits.MinResponseDataRate = new MinDataRate(options.Value.MinBodyRate, Grace);
    }
}
