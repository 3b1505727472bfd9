using System.Diagnostics.CodeAnalysis;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.EventLog.Events;

/// <summary>An interaction as a message, plain or as a CloudEvent. Every reader of the log reads here, so the same message gets the same verdict everywhere.</summary>
public static class InteractionMessage
{
    private static readonly CloudEventFields Fields = new("event_id", "type", "timestamp");

    /// <summary>Reads a message that has a value; never throws on bad bytes.</summary>
    /// <param name="allowedClockError">How far the event's time may lie ahead of the log's.</param>
    public static bool TryRead(in LogMessage message, TimeSpan allowedClockError, [NotNullWhen(true)] out InteractionEvent? interaction, [NotNullWhen(false)] out Rejection? rejection)
    {
        interaction = null;
        if (message.Key.IsEmpty)
        {
            rejection = new Rejection(RejectionReasons.KeyMismatch, "the message has no key; expected the user_id");
            return false;
        }
        // The log's time, not this machine's: the verdict is the same whenever the message is read.
        return TryRead(message.Headers, message.Key.Span, message.Value ?? default, LogHeaders.FirstTimeMs(message), ClockLimits.At(message.TimestampMs, allowedClockError), out interaction, out rejection);
    }

    /// <param name="key">Empty: not checked (an event at the HTTP edge has none yet).</param>
    /// <param name="timeMs">The event's time when it names none.</param>
    public static bool TryRead(IReadOnlyList<LogHeader>? headers, ReadOnlySpan<byte> key, ReadOnlyMemory<byte> value, long timeMs, ClockLimits clock,
        [NotNullWhen(true)] out InteractionEvent? interaction, [NotNullWhen(false)] out Rejection? rejection)
    {
        interaction = null;
        if (!CloudEvent.TryOpen(headers, value, Fields, out var plain, out rejection))
        {
            if (InteractionJson.TryRead(key, value.Span, timeMs, clock, out interaction, out rejection)) return true;
            if (!CloudEvent.TryOpenUnannounced(value, Fields, out plain, ref rejection)) return false;
        }
        return plain is not null && InteractionJson.TryRead(key, plain, timeMs, clock, out interaction, out rejection);
    }
}
