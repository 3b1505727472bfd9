using System.Diagnostics.CodeAnalysis;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.EventLog.Events;

/// <summary>An item as a message, plain or as a CloudEvent. Every reader of the log reads here, so the same message gets the same verdict everywhere.</summary>
public static class ItemMessage
{
    private static readonly CloudEventFields Fields = new(Id: null, Type: null, ItemJson.Field.UpdatedAt);

    /// <summary>Reads a message that has a value; never throws on bad bytes.</summary>
    /// <param name="allowedClockError">How far the item's time may lie ahead of the log's.</param>
    public static bool TryRead(in LogMessage message, TimeSpan allowedClockError, [NotNullWhen(true)] out ItemEvent? item, [NotNullWhen(false)] out Rejection? rejection)
    {
        if (!message.Key.IsEmpty)
            return TryRead(message.Headers, message.Key.Span, message.Value ?? default, LogHeaders.FirstTimeMs(message), ClockLimits.At(message.TimestampMs, allowedClockError), out item, out rejection);
        item = null;
        rejection = new Rejection(RejectionReasons.KeyMismatch, "the message has no key; expected the item_id");
        return false;
    }

    /// <summary>Reads what came over HTTP: it has no key yet.</summary>
    /// <param name="headers">Those of the Kafka binding; null: none.</param>
    public static bool TryRead(IReadOnlyList<LogHeader>? headers, ReadOnlyMemory<byte> value, DateTimeOffset now, TimeSpan allowedClockError,
        [NotNullWhen(true)] out ItemEvent? item, [NotNullWhen(false)] out Rejection? rejection) =>
        TryRead(headers, [], value, now.ToUnixTimeMilliseconds(), ClockLimits.At(now, allowedClockError), out item, out rejection);

    private static bool TryRead(IReadOnlyList<LogHeader>? headers, ReadOnlySpan<byte> key, ReadOnlyMemory<byte> value, long timeMs, ClockLimits clock,
        [NotNullWhen(true)] out ItemEvent? item, [NotNullWhen(false)] out Rejection? rejection)
    {
        item = null;
        if (!CloudEvent.TryOpen(headers, value, Fields, out var plain, out rejection))
        {
            if (ItemJson.TryRead(key, value.Span, timeMs, clock, out item, out rejection)) return true;
            if (!CloudEvent.TryOpenUnannounced(value, Fields, out plain, ref rejection)) return false;
        }
        if (plain is not null) return ItemJson.TryRead(key, plain, timeMs, clock, out item, out rejection);
        rejection ??= new Rejection(RejectionReasons.InvalidJson, "the event is empty");
        return false;
    }
}
