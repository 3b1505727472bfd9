using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BeeFormer.Streaming.Api;

/// <summary>What is said about each part of a batch.</summary>
internal static class Verdicts
{
    public static Verdict Of(int index, Incoming incoming) => incoming.Record is not null
        ? new Verdict(index, "accepted")
        : new Verdict(index, "refused", incoming.Rejection!.Reason, incoming.Rejection.Message);

    /// <summary>202 with all verdicts; a batch of which nothing is acceptable is a refusal.</summary>
    public static Results<Accepted<BatchAnswer>, ProblemHttpResult> Answer(List<Verdict> verdicts, int accepted, ServedBy? by)
    {
        if (accepted > 0) return TypedResults.Accepted((string?)null, new BatchAnswer(accepted, verdicts.Count - accepted, verdicts, by));
        return TypedResults.Problem(
            verdicts.Count == 1 ? verdicts[0].Message : $"None of the {verdicts.Count} entries is acceptable; the first one: {verdicts[0].Message}",
            statusCode: StatusCodes.Status422UnprocessableEntity, title: "Nothing accepted", extensions: [new("verdicts", verdicts)]);
    }
}
