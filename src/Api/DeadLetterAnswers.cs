using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog.DeadLetters;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.Api;

/// <param name="Total">Letters that there are.</param>
/// <param name="Matching">Of these, the ones with the reason and topic asked for.</param>
/// <param name="Next">What to give as <c>after</c> for the letters that follow; null: these are the last.</param>
internal sealed record DeadLettersAnswer(int Total, int Matching, IReadOnlyList<DeadLetterDescription> Letters, string? Next, ServedBy? By) : Answer(By);

/// <param name="Id">Where the message stood first: <c>topic/partition/offset</c>.</param>
/// <param name="Timestamp">When the log took the message.</param>
/// <param name="Bytes">Length of the message; null: a tombstone.</param>
internal sealed record DeadLetterDescription(string Id, string Reason, string Message, DateTimeOffset Timestamp, int? Bytes)
{
    public static DeadLetterDescription Of(DeadLetterSummary letter) => new(letter.Id.ToString(), letter.Reason, letter.Message, letter.Time, letter.Bytes);
}

/// <param name="Key">Base64.</param>
/// <param name="Value">Base64; null: a tombstone.</param>
internal sealed record DeadLetterAnswer(
    string Id, string Reason, string Message, DateTimeOffset Timestamp, byte[]? Key, byte[]? Value, IReadOnlyList<DeadLetterHeader> Headers, ServedBy? By) : Answer(By)
{
    public static DeadLetterAnswer Of(DeadLetter letter, ServedBy? by) =>
        new(DeadLetterJson.Identity(letter), letter.Reason, letter.Message, DeadLetterSummary.Of(letter).Time, letter.Key, letter.Value, letter.Headers ?? [], by);
}

/// <param name="Replayed">Letters whose messages are back in their topics, durably; with <c>dry_run</c>: would be.</param>
/// <param name="Superseded">Left alone: something newer has taken their place.</param>
/// <param name="Unreadable">Left alone: they would only be refused again.</param>
/// <param name="Unknown">Ids without a letter.</param>
/// <param name="Staying">The first 1000 of those that were not replayed.</param>
internal sealed record ReplayAnswer(bool DryRun, int Replayed, int Superseded, int Unreadable, int Unknown, IReadOnlyList<StayingDescription> Staying, ServedBy? By) : Answer(By)
{
    public static ReplayAnswer Of(ReplayReport report, ServedBy? by) => new(
        report.DryRun, report.Count(ReplayOutcome.Replayed), report.Count(ReplayOutcome.Superseded), report.Count(ReplayOutcome.Unreadable), report.Count(ReplayOutcome.Unknown),
        [.. report.Staying.Select(one => new StayingDescription(one.Id.ToString(), JsonNamingPolicy.SnakeCaseLower.ConvertName(one.Outcome.ToString()), one.Why))], by);
}

/// <param name="Outcome"><c>superseded</c>, <c>unreadable</c> or <c>unknown</c>.</param>
/// <param name="Why">In words.</param>
internal sealed record StayingDescription(string Id, string Outcome, string Why);
