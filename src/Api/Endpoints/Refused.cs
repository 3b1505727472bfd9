using BeeFormer.Streaming.EventLog.Events;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BeeFormer.Streaming.Api;

/// <summary>Refusals as problem details (RFC 9457): what was wrong, in which field, what was expected.</summary>
internal static class Refused
{
    public static ProblemHttpResult Field(string field, string detail) => TypedResults.Problem(
        detail, statusCode: StatusCodes.Status400BadRequest, title: "Invalid request", extensions: [new("field", field)]);

    /// <summary>The message names the field.</summary>
    public static ProblemHttpResult Event(Rejection rejection) => TypedResults.Problem(
        rejection.Message, statusCode: StatusCodes.Status400BadRequest, title: "Invalid request", extensions: [new("reason", rejection.Reason)]);

    public static ProblemHttpResult TooMany(string field, int count, int most) => TypedResults.Problem(
        $"{field} has {count} entries; at most {most} are allowed.", statusCode: StatusCodes.Status413PayloadTooLarge, title: "Request too large", extensions: [new("field", field)]);

    public static ProblemHttpResult Unknown(string what, string id) => TypedResults.Problem(
        $"There is no {what} {id}.", statusCode: StatusCodes.Status404NotFound, title: "Not found");

    public static ProblemHttpResult Conflict(string detail) => TypedResults.Problem(
        detail, statusCode: StatusCodes.Status409Conflict, title: "Conflict");

    public static ProblemHttpResult NotServing() => TypedResults.Problem(
        "No model serves yet: its index is being opened, or the last changes of items are being read. Try again in a moment.", statusCode: StatusCodes.Status503ServiceUnavailable, title: "Not ready");
}
