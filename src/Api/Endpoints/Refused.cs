using BeeFormer.Streaming.EventLog.Events;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BeeFormer.Streaming.Api;

/// <summary>Refusals as problem details (RFC 9457): a stable code, what was wrong, in which field, what was expected.</summary>
internal static class Refused
{
    public static ProblemHttpResult Field(string field, string detail) => Problem(StatusCodes.Status400BadRequest, "invalid_field", detail, [new("field", field)]);

    /// <summary>The message names the field.</summary>
    public static ProblemHttpResult Event(Rejection rejection) => Problem(StatusCodes.Status400BadRequest, rejection.Reason, rejection.Message, [new("reason", rejection.Reason)]);

    public static ProblemHttpResult TooMany(string field, int count, int most) =>
        Problem(StatusCodes.Status413PayloadTooLarge, "too_large", $"{field} has {count} entries; at most {most} are allowed.", [new("field", field)]);

    public static ProblemHttpResult Unknown(string what, string id) => Problem(StatusCodes.Status404NotFound, "not_found", $"There is no {what} {id}.");

    public static ProblemHttpResult Conflict(string detail) => Problem(StatusCodes.Status409Conflict, "conflict", detail);

    public static ProblemHttpResult CursorExpired(ServedBy now) => Problem(
        StatusCodes.Status410Gone, "cursor_expired", $"The index has switched since the page before: model {now.Version}, generation {now.Generation} answers now. Start again without a cursor.", [new("field", "cursor")]);

    public static ProblemHttpResult NothingAccepted(string detail, IReadOnlyList<Verdict> verdicts) =>
        Problem(StatusCodes.Status422UnprocessableEntity, "nothing_accepted", detail, [new("verdicts", verdicts)]);

    public static ProblemHttpResult NotServing() =>
        Problem(StatusCodes.Status503ServiceUnavailable, "not_ready", "No model serves yet: its index is being opened, or the last changes of items are being read. Try again in a moment.");

    public static ProblemHttpResult Problem(int status, string code, string detail, params IReadOnlyList<KeyValuePair<string, object?>> more) =>
        TypedResults.Problem(detail, statusCode: status, title: Problems.Title(status), extensions: [new("code", code), .. more]);
}
