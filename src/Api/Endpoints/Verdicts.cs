using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace BeeFormer.Streaming.Api;

/// <summary>What is said about each part of a batch.</summary>
internal static class Verdicts
{
    public const string Accepted = "accepted", Duplicate = "duplicate", Refused = "refused";

    public static Verdict Of(int index, Incoming incoming) => incoming.Record is not null
        ? new Verdict(index, Accepted)
        : new Verdict(index, Refused, incoming.Rejection!.Reason, incoming.Rejection.Message);

    /// <summary>202 with all verdicts; a batch of which nothing is acceptable is a refusal.</summary>
    public static Results<Accepted<BatchAnswer>, ProblemHttpResult> Answer(IReadOnlyList<Verdict> verdicts, ServedBy? by)
    {
        int refused = verdicts.Count(verdict => verdict.Status == Refused), duplicate = verdicts.Count(verdict => verdict.Status == Duplicate);
        if (refused < verdicts.Count) return TypedResults.Accepted((string?)null, new BatchAnswer(verdicts.Count - refused - duplicate, duplicate, refused, verdicts, by));
        return Api.Refused.NothingAccepted(verdicts.Count == 1 ? verdicts[0].Message! : $"None of the {verdicts.Count} entries is acceptable; the first one: {verdicts[0].Message}", verdicts);
    }
}
