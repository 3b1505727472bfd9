using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.EventLog.DeadLetters;

/// <summary>A letter that is to go back to its topic, and what is found out about it on the way.</summary>
/// <param name="at">Where the letter lies.</param>
internal sealed class ReturningLetter(DeadLetter letter, LogPosition at)
{
    public LogPlace Id { get; } = DeadLetterJson.Place(letter);
    public LogPosition At { get; } = at;

    /// <summary>The message as it was, with the place where it stood.</summary>
    public LogRecord Record { get; } = new(letter.Key ?? [], letter.Value, LogHeaders.Returning(DeadLetterJson.Place(letter), letter.TimestampMs, (letter.Headers ?? []).Select(header => new LogHeader(header.Name, header.Value))));

    public bool HasTopic => Id.Topic is Topics.Interactions or Topics.Items;
    public bool IsTombstone => letter.Value is null;
    /// <summary>It has been back before and was refused again.</summary>
    public bool CameBack { get; } = letter.Headers?.Any(header => header.Name == LogHeaders.Origin) is true;

    /// <summary>Why it would be refused now as well.</summary>
    public Rejection? Problem { get; private set; }
    /// <summary>The item that it reads as.</summary>
    public ItemEvent? Item { get; private set; }
    /// <summary>What has taken its place, as a sentence.</summary>
    public string? Superseded { get; set; }
    /// <summary>It is back already; only the mark is missing.</summary>
    public bool IsBack { get; set; }

    public void Read(long nowMs, TimeSpan allowedClockError)
    {
        var message = new LogMessage(Id.Partition, Id.Offset, nowMs, Record.Key, Record.Value is { } value ? value : (ReadOnlyMemory<byte>?)null, Record.Headers);
        Rejection? problem;
        if (!HasTopic) problem = new Rejection(RejectionReasons.InvalidField, $"topic: expected {Topics.Interactions} or {Topics.Items}, got {Id.Topic}");
        else if (IsTombstone) _ = Id.Topic == Topics.Items ? ItemJson.TryReadKey(message.Key.Span, out _, out problem) : InteractionJson.TryReadKey(message.Key.Span, out _, out problem);
        else if (Id.Topic == Topics.Interactions) InteractionMessage.TryRead(message, allowedClockError, out _, out problem);
        else
        {
            ItemMessage.TryRead(message, allowedClockError, out var item, out problem);
            Item = item;
        }
        Problem = problem;
    }
}
