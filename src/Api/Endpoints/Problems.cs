using System.Text.Json;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Api;

/// <summary>Turns what endpoints throw into problem details: the cause in plain words where the client can act on it, never a stack trace.</summary>
internal sealed class Problems(IProblemDetailsService service, ILogger<Problems> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        var problem = exception switch
        {
            BadHttpRequestException { InnerException: JsonException json } => InvalidJson(json),
            BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => new ProblemDetails
            {
                Status = StatusCodes.Status413PayloadTooLarge, Title = "Request too large", Detail = "The request body is larger than Api:MaxBodyBytes (of a model: Api:MaxArchiveBytes) allows; send events and items in parts.",
            },
            BadHttpRequestException bad => new ProblemDetails { Status = bad.StatusCode, Title = "Invalid request", Detail = bad.Message },
            IOException => new ProblemDetails
            {
                Status = StatusCodes.Status503ServiceUnavailable, Title = "Not available at the moment", Detail = "A part that the request needs (index or log) did not answer in time; try again in a moment.",
            },
            _ => new ProblemDetails { Status = StatusCodes.Status500InternalServerError, Title = "Internal error", Detail = "The request failed; the log names the cause." },
        };
        if (problem.Status >= StatusCodes.Status500InternalServerError)
            logger.LogError(exception, "{Method} {Path} failed", httpContext.Request.Method, httpContext.Request.Path);
        httpContext.Response.StatusCode = problem.Status!.Value;
        return await service.TryWriteAsync(new ProblemDetailsContext { HttpContext = httpContext, ProblemDetails = problem });
    }

    private static ProblemDetails InvalidJson(JsonException json)
    {
        string? field = json.Path is { Length: > 2 } path ? path[2..] : null;
        var problem = new ProblemDetails
        {
            Status = StatusCodes.Status400BadRequest,
            Title = "Invalid request",
            Detail = (field is null ? "The body is not the JSON object that was expected" : $"{field} cannot be read; expected what the OpenAPI document says")
                + $" (line {json.LineNumber + 1}, byte {json.BytePositionInLine + 1}).",
        };
        if (field is not null) problem.Extensions["field"] = field;
        return problem;
    }

    /// <summary>Names the pair in service in every problem; what passes by itself says when to come back.</summary>
    public static void Complete(ProblemDetailsContext context)
    {
        if (context.ProblemDetails.Status == StatusCodes.Status503ServiceUnavailable) context.HttpContext.Response.Headers.RetryAfter = "1";
        var serving = context.HttpContext.RequestServices.GetRequiredService<ServingPairs>().Identity;
        context.ProblemDetails.Extensions["model_version"] = serving?.Version.Value;
        context.ProblemDetails.Extensions["fingerprint"] = serving?.Fingerprint.Value;
        context.ProblemDetails.Extensions["index_generation"] = serving?.Generation;
    }
}
