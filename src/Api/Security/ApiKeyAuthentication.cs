using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>Who asks: the owner of the key in <c>Authorization: Bearer</c> or <c>X-Api-Key</c>; where no key is configured, anybody on this machine.</summary>
internal sealed class ApiKeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, ApiKeys keys, IOptions<ApiOptions> api, IProblemDetailsService problems)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string Name = "ApiKey", ScopeClaim = "scope", RateClaim = "requests_per_second";
    public const string Header = "X-Api-Key";
    private const string Bearer = "Bearer ";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!keys.Required) return Stranger() is { } problem ? AuthenticateResult.Fail(problem) : Success(null, Scopes.All);
        if (Given() is not { } key) return AuthenticateResult.NoResult();
        return await keys.FindAsync(key, Context.RequestAborted) is { } entry
            ? Success(entry, ApiKeyEntry.ScopesOf(entry.Scopes)!)
            : AuthenticateResult.Fail("The key is none that this server knows.");
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var failure = (await HandleAuthenticateOnceSafeAsync()).Failure;
        Response.Headers.WWWAuthenticate = "Bearer";
        await WriteAsync(StatusCodes.Status401Unauthorized, failure is null ? "key_missing" : keys.Required ? "key_unknown" : "loopback_only",
            failure?.Message ?? $"The request has no key; expected Authorization: Bearer KEY, or {Header}: KEY.");
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        WriteAsync(StatusCodes.Status403Forbidden, "scope_missing", $"The key of {Context.User.Identity?.Name} has the scopes {string.Join(", ", Context.User.FindAll(ScopeClaim).Select(claim => claim.Value))}; this needs {Context.GetEndpoint()?.Metadata.GetMetadata<IAuthorizeData>()?.Policy ?? Scopes.Admin}.");

    private async Task WriteAsync(int status, string code, string detail)
    {
        Response.StatusCode = status;
        await problems.WriteAsync(new ProblemDetailsContext { HttpContext = Context, ProblemDetails = Problems.Of(status, code, detail) });
    }

    private string? Given()
    {
        if (Request.Headers[Header] is [{ Length: > 0 } key]) return key;
        return Request.Headers.Authorization is [{ } value] && value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? value[Bearer.Length..].Trim() : null;
    }

    /// <summary>Without keys the machine's boundary is all that protects: neither others on the network nor web pages of others in a browser here get in.</summary>
    private string? Stranger()
    {
        if (Context.Connection.RemoteIpAddress is { } remote && !IPAddress.IsLoopback(remote)) return "No API keys are configured, so only this machine may ask.";
        string host = Request.Host.Host.Trim('[', ']');
        if (host.Length > 0 && host != "localhost" && !(IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address)))
            return "No API keys are configured, so only the names localhost, 127.0.0.1 and [::1] are answered to.";
        return Request.Headers.Origin is [{ } origin] && origin != $"{Request.Scheme}://{Request.Host}" && !api.Value.CorsOrigins.Contains(origin)
            ? "No API keys are configured, so web pages of other origins may not ask." : null;
    }

    private static AuthenticateResult Success(ApiKeyEntry? entry, IReadOnlyList<string> scopes)
    {
        var identity = new ClaimsIdentity(scopes.Select(scope => new Claim(ScopeClaim, scope)), Name, ClaimTypes.Name, null);
        if (entry is not null)
        {
            identity.AddClaim(new Claim(ClaimTypes.Name, entry.Name));
            identity.AddClaim(new Claim(RateClaim, entry.RequestsPerSecond.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        }
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Name));
    }

    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<ApiKeys>();
        services.AddAuthentication(Name).AddScheme<AuthenticationSchemeOptions, ApiKeyAuthentication>(Name, null);
        var authorization = services.AddAuthorizationBuilder();
        foreach (string scope in Scopes.All) authorization.AddPolicy(scope, policy => policy.RequireClaim(ScopeClaim, scope));
        authorization.SetFallbackPolicy(new AuthorizationPolicyBuilder(Name).RequireClaim(ScopeClaim, Scopes.Admin).Build());
    }
}
