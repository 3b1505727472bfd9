using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace BeeFormer.Streaming.Api;

/// <summary>Turns what endpoints throw into problem details: the cause in plain words where the client can act on it, never a stack trace.</summary>
internal sealed class Problems(IProblemDetailsService service, ILogger<Problems> logger) : IExceptionHandler
{
    private const int LongestDetail = 1000;

    /// <summary>Of what is down now, most is back in a moment.</summary>
    public const int RetryAfterSeconds = 1;

    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        var problem = exception switch
        {
            BadHttpRequestException { InnerException: JsonException json } => InvalidJson(json),
            BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => Of(
                StatusCodes.Status413PayloadTooLarge, "too_large", "The request body is larger than Api:MaxBodyBytes (of a model: Api:MaxArchiveBytes) allows, as sent or decompressed; send events and items in parts."),
            BadHttpRequestException bad => Of(bad.StatusCode, CodeOf(bad.StatusCode), bad.Message),
            IOException => Of(StatusCodes.Status503ServiceUnavailable, "unavailable", "A part that the answer needs (log, index or profiles) cannot be reached. Try again in a moment; events that are sent again with their event_id count once."),
            _ => Of(StatusCodes.Status500InternalServerError, "internal", "The request failed; the log names the cause."),
        };
        if (problem.Status >= StatusCodes.Status500InternalServerError)
            logger.LogError(exception, "{Method} {Path} failed", httpContext.Request.Method, httpContext.Request.Path);
        httpContext.Response.StatusCode = problem.Status!.Value;
        return await service.TryWriteAsync(new ProblemDetailsContext { HttpContext = httpContext, ProblemDetails = problem });
    }

    public static ProblemDetails Of(int status, string code, string detail) => new() { Status = status, Title = Title(status), Detail = detail, Extensions = { ["code"] = code } };

    public static ProblemDetails InvalidJson(JsonException json)
    {
        string? field = json.Path is { Length: > 2 } path ? path[2..] : null;
        var problem = Of(StatusCodes.Status400BadRequest, field is null ? "invalid_json" : "invalid_field",
            (field is null ? "The body is not the JSON object that was expected" : $"{Short(field)} cannot be read; expected what the OpenAPI document says")
                + $" (line {json.LineNumber + 1}, byte {json.BytePositionInLine + 1}).");
        if (field is not null) problem.Extensions["field"] = Short(field);
        return problem;
    }

    public static string Title(int status) => status switch
    {
        StatusCodes.Status400BadRequest => "Invalid request",
        StatusCodes.Status401Unauthorized => "Not authenticated",
        StatusCodes.Status403Forbidden => "Not allowed",
        StatusCodes.Status404NotFound => "Not found",
        StatusCodes.Status405MethodNotAllowed => "Method not allowed",
        StatusCodes.Status408RequestTimeout => "Request too slow",
        StatusCodes.Status409Conflict => "Conflict",
        StatusCodes.Status410Gone => "Gone",
        StatusCodes.Status413PayloadTooLarge => "Request too large",
        StatusCodes.Status415UnsupportedMediaType => "Unsupported content",
        StatusCodes.Status422UnprocessableEntity => "Nothing accepted",
        StatusCodes.Status429TooManyRequests => "Too many requests",
        StatusCodes.Status501NotImplemented => "Not here",
        StatusCodes.Status503ServiceUnavailable => "Not available",
        >= 500 => "Internal error",
        _ => "Invalid request",
    };

    /// <summary>For refusals that the server makes before an endpoint is reached.</summary>
    private static string CodeOf(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => "key_missing",
        StatusCodes.Status403Forbidden => "scope_missing",
        StatusCodes.Status404NotFound => "not_found",
        StatusCodes.Status405MethodNotAllowed => "method_not_allowed",
        StatusCodes.Status408RequestTimeout => "too_slow",
        StatusCodes.Status415UnsupportedMediaType => "unsupported_content",
        StatusCodes.Status503ServiceUnavailable => "unavailable",
        >= 500 => "internal",
        _ => "invalid_request",
    };

    private static string Short(string field) => field.Length <= 100 ? field : field[..100] + "…";

    /// <summary>Writes every problem, whatever the client says that it accepts: type and code, the trace id, and the pair in service.</summary>
    internal sealed class Writer(IOptions<JsonOptions> json, ServingPairs pairs) : IProblemDetailsWriter
    {
        public bool CanWrite(ProblemDetailsContext context) => true;

        public async ValueTask WriteAsync(ProblemDetailsContext context)
        {
            var (http, problem) = (context.HttpContext, context.ProblemDetails);
            int status = problem.Status ??= http.Response.StatusCode;
            problem.Title = Title(status);
            if (problem.Detail is { Length: > LongestDetail } detail) problem.Detail = detail[..LongestDetail] + "…"; // it may quote what was sent
            string code = problem.Extensions.TryGetValue("code", out object? named) ? (string)named! : CodeOf(status);
            problem.Type = $"urn:beeformer:problem:{code}";
            problem.Extensions["code"] = code;
            problem.Extensions["trace_id"] = Activity.Current?.Id ?? http.TraceIdentifier;
            var serving = pairs.Identity;
            problem.Extensions["model_version"] = serving?.Version.Value;
            problem.Extensions["fingerprint"] = serving?.Fingerprint.Value;
            problem.Extensions["index_generation"] = serving?.Generation;
            if (status == StatusCodes.Status503ServiceUnavailable) http.Response.Headers.RetryAfter = RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
            http.Response.StatusCode = status;
            await http.Response.WriteAsJsonAsync(problem, json.Value.SerializerOptions, "application/problem+json", http.RequestAborted);
        }
    }
}

/// <summary>What every problem says; for the OpenAPI document.</summary>
/// <param name="Type">urn:beeformer:problem: and the code.</param>
/// <param name="Title">The status in words.</param>
/// <param name="Code">Stable: what programs look at.</param>
/// <param name="Detail">For people: what was wrong and what was expected.</param>
/// <param name="Field">The member that is wrong, as a path such as filter.must[2].gte.</param>
/// <param name="TraceId">Finds the request in the server's log.</param>
/// <param name="Verdicts">Where a whole batch was refused: why, entry by entry.</param>
internal sealed record ProblemBody(string Type, string Title, int Status, string Code, string Detail, string? Field, string TraceId, IReadOnlyList<Verdict>? Verdicts, string? ModelVersion, string? Fingerprint, long? IndexGeneration);
