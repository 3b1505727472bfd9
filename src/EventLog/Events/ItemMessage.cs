using System.Diagnostics.CodeAnalysis;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.EventLog.Events;

/// <summary>An item as a message, plain or as a CloudEvent. Every reader of the log reads here, so the same message gets the same verdict everywhere.</summary>
public static class ItemMessage
{
    private static readonly CloudEventFields Fields = new(null, null, "updated_at");

    /// <inheritdoc cref="InteractionMessage.TryRead(in LogMessage, TimeSpan, out InteractionEvent?, out Rejection?)"/>
    public static bool TryRead(in LogMessage message, TimeSpan allowedClockError, [NotNullWhen(true)] out ItemEvent? item, [NotNullWhen(false)] out Rejection? rejection)
    {
        item = null;
        if (message.Key.IsEmpty)
        {
            rejection = new Rejection(RejectionReasons.KeyMismatch, "the message has no key; expected the item_id");
            return false;
        }
        return TryRead(message.Headers, message.Key.Span, message.Value ?? default, LogHeaders.FirstTimeMs(message), ClockLimits.At(message.TimestampMs, allowedClockError), out item, out rejection);
    }

    /// <param name="key">Empty: not checked (an item at the HTTP edge has none yet).</param>
    /// <param name="timeMs">The time of the change when the item names none.</param>
    public static bool TryRead(IReadOnlyList<LogHeader>? headers, ReadOnlySpan<byte> key, ReadOnlyMemory<byte> value, long timeMs, ClockLimits clock,
        [NotNullWhen(true)] out ItemEvent? item, [NotNullWhen(false)] out Rejection? rejection)
    {
        item = null;
        if (!CloudEvent.TryOpen(headers, value, Fields, out var plain, out rejection))
        {
            if (ItemJson.TryRead(key, value.Span, timeMs, clock, out item, out rejection)) return true;
            if (!CloudEvent.TryOpenUnannounced(value, Fields, out plain, ref rejection)) return false;
        }
        return plain is not null && ItemJson.TryRead(key, plain, timeMs, clock, out item, out rejection);
    }
}
