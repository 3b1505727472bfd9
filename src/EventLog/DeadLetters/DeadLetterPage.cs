using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.EventLog.DeadLetters;

/// <param name="Total">Letters that there are.</param>
/// <param name="Matching">Letters that the filter lets through.</param>
/// <param name="More">There are others behind the last one of these.</param>
public sealed record DeadLetterPage(IReadOnlyList<DeadLetterSummary> Letters, int Total, int Matching, bool More);

/// <summary>A letter without the bytes of its message.</summary>
/// <param name="Bytes">Length of the message's value; null: it has none.</param>
public sealed record DeadLetterSummary(LogPlace Id, string Reason, string Message, long TimestampMs, int? Bytes)
{
    public static DeadLetterSummary Of(DeadLetter letter) => new(DeadLetterJson.Place(letter), letter.Reason, letter.Message, letter.TimestampMs, letter.Value?.Length);
}
