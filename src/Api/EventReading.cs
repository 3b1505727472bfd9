using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.Api;

/// <summary>What became of one event of a request: a record for the log, or why not.</summary>
/// <param name="Item">Of item events: what the record says.</param>
/// <param name="EventId">Of interactions that have one.</param>
internal readonly record struct Incoming(LogRecord? Record, ItemEvent? Item = null, Rejection? Rejection = null, string? EventId = null);

/// <summary>Events as they come over HTTP and out of the log, by the same rules as everywhere.</summary>
internal sealed class EventReading(TimeProvider time, EventClock clock)
{
    /// <summary>One interaction of a request. The time it has when it names none is now.</summary>
    /// <param name="headers">What says that it is a CloudEvent; null: nothing does.</param>
    public Incoming IncomingInteraction(ReadOnlyMemory<byte> json, IReadOnlyList<LogHeader>? headers) =>
        InteractionMessage.TryRead(headers, json, time.GetUtcNow(), clock.AllowedError, out var interaction, out var rejection)
            ? new Incoming(InteractionJson.Record(interaction), EventId: interaction.EventId)
            : new Incoming(null, null, rejection);

    /// <summary>One item of a request.</summary>
    public Incoming IncomingItem(ReadOnlyMemory<byte> json, IReadOnlyList<LogHeader>? headers)
    {
        if (!ItemMessage.TryRead(headers, json, time.GetUtcNow(), clock.AllowedError, out var item, out var rejection)) return new Incoming(null, null, rejection);
        var record = ItemJson.Record(item);
        // What is accepted must be readable in the log: control characters, say, take more room there.
        return record.Value!.Length <= EventLimits.MaxJsonBytes
            ? new Incoming(record, item)
            : new Incoming(null, null, new Rejection(RejectionReasons.InvalidJson, $"the item has {record.Value.Length} bytes when it is written to the log; at most {EventLimits.MaxJsonBytes} are allowed"));
    }

    /// <returns>Null when the message cannot be read; Ingest dead-letters it.</returns>
    public InteractionEvent? Interaction(LogMessage message) =>
        message.Value is not null && InteractionMessage.TryRead(message, clock.AllowedError, out var interaction, out _) ? interaction : null;

    /// <inheritdoc cref="Interaction"/>
    public ItemEvent? Item(LogMessage message) =>
        message.Value is not null && ItemMessage.TryRead(message, clock.AllowedError, out var item, out _) ? item : null;
}
