namespace BeeFormer.Streaming.EventLog.DeadLetters;

/// <summary>Which dead letters are meant; what is null does not matter.</summary>
/// <param name="Ids">These alone.</param>
public sealed record DeadLetterFilter(string? Reason = null, string? Topic = null, IReadOnlySet<LogPlace>? Ids = null)
{
    internal bool Fits(LogPlace id, string reason) => (Reason is null || reason == Reason) && (Topic is null || id.Topic == Topic) && (Ids is null || Ids.Contains(id));
}
