using System.Diagnostics.CodeAnalysis;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.EventLog.Events;

/// <summary>An interaction as a message, plain or as a CloudEvent. Every reader of the log reads here, so the same message gets the same verdict everywhere.</summary>
public static class InteractionMessage
{
    private static readonly CloudEventFields Fields = new(InteractionJson.Field.EventId, InteractionJson.Field.Type, InteractionJson.Field.Timestamp);

    [ThreadStatic]
    private static InteractionReader? t_reader;

    /// <summary>Reads a message that has a value; never throws on bad bytes.</summary>
    /// <param name="allowedClockError">How far the event's time may lie ahead of the log's.</param>
    /// <returns>Null when the event stands in the reader's properties, else why not.</returns>
    public static Rejection? Read(InteractionReader reader, in LogMessage message, TimeSpan allowedClockError) =>
        message.Key.IsEmpty
            ? new Rejection(RejectionReasons.KeyMismatch, "the message has no key; expected the user_id")
            // The log's time, not this machine's: the verdict is the same whenever the message is read.
            : Read(reader, message.Headers, message.Key.Span, message.Value ?? default, LogHeaders.FirstTimeMs(message), ClockLimits.At(message.TimestampMs, allowedClockError));

    /// <inheritdoc cref="Read"/>
    public static bool TryRead(in LogMessage message, TimeSpan allowedClockError, [NotNullWhen(true)] out InteractionEvent? interaction, [NotNullWhen(false)] out Rejection? rejection)
    {
        var reader = t_reader ??= new InteractionReader();
        rejection = Read(reader, message, allowedClockError);
        interaction = rejection is null ? InteractionJson.EventOf(reader) : null;
        return interaction is not null;
    }

    /// <summary>Reads what came over HTTP: it has no key yet.</summary>
    /// <param name="headers">Those of the Kafka binding; null: none.</param>
    public static bool TryRead(IReadOnlyList<LogHeader>? headers, ReadOnlyMemory<byte> value, DateTimeOffset now, TimeSpan allowedClockError,
        [NotNullWhen(true)] out InteractionEvent? interaction, [NotNullWhen(false)] out Rejection? rejection)
    {
        var reader = t_reader ??= new InteractionReader();
        rejection = Read(reader, headers, [], value, now.ToUnixTimeMilliseconds(), ClockLimits.At(now, allowedClockError));
        interaction = rejection is null ? InteractionJson.EventOf(reader) : null;
        return interaction is not null;
    }

    private static Rejection? Read(InteractionReader reader, IReadOnlyList<LogHeader>? headers, ReadOnlySpan<byte> key, ReadOnlyMemory<byte> value, long timeMs, ClockLimits clock)
    {
        if (!CloudEvent.TryOpen(headers, value, Fields, out var plain, out var rejection))
        {
            rejection = reader.Read(key, value.Span, timeMs, clock);
            if (rejection is null || !CloudEvent.TryOpenUnannounced(value, Fields, out plain, ref rejection)) return rejection;
        }
        return plain is null ? rejection : reader.Read(key, plain, timeMs, clock);
    }
}
