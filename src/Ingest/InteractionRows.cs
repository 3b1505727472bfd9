using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.DeadLetters;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Ingest;

internal sealed class InteractionRows(IWindowStore store, IProfiles profiles, IEventLog log, LogErasing erasing, IngestOptions options, IngestMetrics metrics) : ITopicRows<InteractionColumns>
{
    private readonly InteractionReader _reader = new();
    private readonly RecentTexts _texts = new();
    private readonly byte[] _derivedId = new byte[64];
    private readonly Stack<InteractionColumns> _idle = new();
    private readonly List<ProfileChange> _changes = [];
    private readonly List<(UserId User, long AtMs)> _forgotten = [];

    public string Topic => Topics.Interactions;

    public long StartAt(int partition) => Math.Min(NextSegment(partition), profiles.NextOffset(partition));

    public long NextSegment(int partition) => store.NextOffset(Topics.Interactions, partition);

    public long? FirstCovered(int partition, long from) => store.FirstCovered(Topics.Interactions, partition, from);

    public void StartOver()
    {
        _changes.Clear();
        _forgotten.Clear();
    }

    public InteractionColumns Rent() => _idle.TryPop(out var columns) ? columns : new InteractionColumns();

    public void Return(InteractionColumns rows)
    {
        rows.Clear();
        _idle.Push(rows);
    }

    public Reading Read(in LogMessage message, InteractionColumns? rows)
    {
        if (message.Value is null)
        {
            if (!InteractionJson.TryReadKey(message.Key.Span, out var user, out var badKey)) return new Reading(badKey);
            _changes.Add(new ProfileChange(message.Offset, user, null));
            _forgotten.Add((user, message.TimestampMs));
            erasing.Requested(message, user);
            return new Reading(null, user);
        }
        if (InteractionMessage.Read(_reader, message, options.AllowedClockError) is { } rejection) return new Reading(rejection);

        var by = new UserId(_texts.Of(_reader.UserId));
        if (store.IsErased(by, _reader.TimestampMs))
        {
            metrics.KeptOut();
            erasing.CameTooLate(message);
            return default;
        }
        var eventId = _reader.EventId;
        if (eventId.IsEmpty) eventId = DerivedId(LogPlace.FirstOf(Topics.Interactions, message));
        rows?.Add(message.Offset, eventId, _reader.UserId, _reader.ItemId, _reader.Type, _reader.Value, _reader.TimestampMs, _reader.SessionId);
        _changes.Add(new ProfileChange(message.Offset, by,
            new ProfileInteraction(Encoding.UTF8.GetString(eventId), new ItemId(_texts.Of(_reader.ItemId)), _texts.Of(_reader.Type), _reader.Value, _reader.TimestampMs)));
        return default;
    }

    public async ValueTask ApplyAsync(int partition, long nextOffset, CancellationToken cancellationToken)
    {
        await profiles.ApplyAsync(partition, nextOffset, _changes, cancellationToken).ConfigureAwait(false);
        _changes.Clear();
        if (_forgotten.Count == 0) return;
        // Before the segment that covers the requests: until then they are read again.
        await LetterErasure.EraseAsync(log, _forgotten, cancellationToken).ConfigureAwait(false);
        await profiles.FlushAsync(cancellationToken).ConfigureAwait(false);
        _forgotten.Clear();
    }

    public void Forget(UserId user, long atMs, InteractionColumns open)
    {
        open.Remove(user);
        store.Erase(user, atMs);
    }

    public bool TryWrite(int partition, long first, long last, InteractionColumns rows) => store.TryWriteInteractions(partition, first, last, rows);

    /// <summary>The place in the log where the message stood first names an event whose producer gave it no id.</summary>
    private ReadOnlySpan<byte> DerivedId(LogPlace place)
    {
        System.Text.Unicode.Utf8.TryWrite(_derivedId, $"{Topics.Interactions}/{place.Partition}/{place.Offset}", out int bytes);
        return _derivedId.AsSpan(0, bytes);
    }
}
