using System.Globalization;
using System.Security.Claims;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>A bucket of tokens for each key, and a small one for each address that sends none that is known. Where no keys are configured there is no limit.</summary>
internal static class RateLimits
{
    private const double StrangersPerSecond = 10;
    private const int StrangersBurst = 20;

    public static void Add(IServiceCollection services)
    {
        services.AddRateLimiter(limiter => limiter.OnRejected = RejectAsync);
        services.AddOptions<RateLimiterOptions>().Configure<ApiKeys, IOptions<ApiOptions>>((limiter, keys, options) =>
            limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, (string, double)>(context => Of(context, keys, options.Value)));
    }

    private static RateLimitPartition<(string, double)> Of(HttpContext context, ApiKeys keys, ApiOptions options)
    {
        if (!keys.Required || !context.Request.Path.StartsWithSegments("/v1")) return RateLimitPartition.GetNoLimiter(("", 0.0));
        if (context.User.FindFirstValue(ApiKeyAuthentication.RateClaim) is not { } own) return Bucket($"address {context.Connection.RemoteIpAddress}", StrangersPerSecond, StrangersBurst);
        double rate = double.Parse(own, CultureInfo.InvariantCulture) is > 0 and var given ? given : options.RequestsPerSecond;
        return rate == 0 ? RateLimitPartition.GetNoLimiter(("", 0.0)) : Bucket($"key {context.User.Identity!.Name}", rate, (int)Math.Ceiling(Math.Max(1, rate * options.BurstSeconds)));
    }

    /// <summary>The rate is part of the bucket's name, so a changed one begins a new bucket.</summary>
    private static RateLimitPartition<(string, double)> Bucket(string whose, double perSecond, int burst) =>
        RateLimitPartition.GetTokenBucketLimiter((whose, perSecond), _ =>
        {
            int tokens = (int)Math.Max(1, perSecond / 10); // ten times a second, or as often as one token is due
            return new TokenBucketRateLimiterOptions { TokenLimit = Math.Max(burst, tokens), TokensPerPeriod = tokens, ReplenishmentPeriod = TimeSpan.FromSeconds(tokens / perSecond), AutoReplenishment = true, QueueLimit = 0 };
        });

    private static async ValueTask RejectAsync(OnRejectedContext rejected, CancellationToken cancellationToken)
    {
        var response = rejected.HttpContext.Response;
        double seconds = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out TimeSpan wait) ? Math.Max(1, Math.Ceiling(wait.TotalSeconds)) : 1;
        response.StatusCode = StatusCodes.Status429TooManyRequests;
        response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        await rejected.HttpContext.RequestServices.GetRequiredService<IProblemDetailsService>().WriteAsync(new ProblemDetailsContext
        {
            HttpContext = rejected.HttpContext,
            ProblemDetails = Problems.Of(StatusCodes.Status429TooManyRequests, "rate_limited", $"Too many requests of this {(rejected.HttpContext.User.Identity?.IsAuthenticated == true ? "key" : "address")}; try again in {seconds} s."),
        });
    }
}
