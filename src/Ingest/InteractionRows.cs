using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Ingest;

internal sealed class InteractionRows(IWindowStore store, IProfiles profiles, IngestOptions options) : ITopicRows<StoredInteraction>
{
    public string Topic => Topics.Interactions;

    public long StartAt(int partition) => Math.Min(NextSegment(partition), profiles.NextOffset(partition));

    public long NextSegment(int partition) => store.NextOffset(Topics.Interactions, partition);

    public Decoded<StoredInteraction> Decode(LogMessage message)
    {
        if (message.Value is null)
            return InteractionJson.TryReadKey(message.Key, out var user, out var badKey) ? new(message, null, user, null) : new(message, null, null, badKey);
        // The log's time, not this machine's: the same message gets the same verdict whenever it is read.
        var clock = ClockLimits.At(DateTimeOffset.FromUnixTimeMilliseconds(message.TimestampMs), options.AllowedClockError);
        if (message.Key.Length == 0) return new(message, null, null, new Rejection(RejectionReasons.KeyMismatch, "the message has no key; expected the user_id"));
        if (!InteractionJson.TryRead(message.Key, message.Value, message.TimestampMs, clock, out var read, out var rejection)) return new(message, null, null, rejection);
        string eventId = read.EventId ?? $"{Topics.Interactions}/{message.Partition}/{message.Offset}";
        return new(message, new StoredInteraction(message.Offset, eventId, read.UserId, read.ItemId, read.Type, read.Value, read.TimestampMs, read.SessionId), null, null);
    }

    public ValueTask ApplyAsync(int partition, long nextOffset, IReadOnlyList<Decoded<StoredInteraction>> messages, CancellationToken cancellationToken)
    {
        var changes = new List<ProfileChange>(messages.Count);
        foreach (var message in messages)
        {
            if (message.Row is { } row) changes.Add(new(row.Offset, row.User, new ProfileInteraction(row.EventId, row.Item, row.Type, row.Value, row.TimestampMs)));
            else if (message.Forget is { } user) changes.Add(new(message.Message.Offset, user, null));
        }
        return profiles.ApplyAsync(partition, nextOffset, changes, cancellationToken);
    }

    public void Forget(UserId user, long atMs, List<StoredInteraction> open)
    {
        open.RemoveAll(row => row.User == user);
        store.Erase(user, atMs);
    }

    public bool TryWrite(int partition, long first, long last, IReadOnlyList<StoredInteraction> rows) => store.TryWriteInteractions(partition, first, last, rows);
}
