using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.EventLog.DeadLetters;

/// <param name="Total">Letters that there are.</param>
/// <param name="Matching">Letters that the filter lets through.</param>
/// <param name="More">There are others behind the last one of these.</param>
public sealed record DeadLetterPage(IReadOnlyList<DeadLetterSummary> Letters, int Total, int Matching, bool More);

/// <summary>A letter without the bytes of its message.</summary>
/// <param name="Bytes">Length of the message's value; null: it has none.</param>
/// <param name="Time">When the log took the message; of a foreign log, any time.</param>
public sealed record DeadLetterSummary(LogPlace Id, string Reason, string Message, DateTimeOffset Time, int? Bytes)
{
    public static DeadLetterSummary Of(DeadLetter letter) => new(
        DeadLetterJson.Place(letter), letter.Reason, letter.Message,
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(letter.TimestampMs, DateTimeOffset.MinValue.ToUnixTimeMilliseconds(), DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())), letter.Value?.Length);
}
