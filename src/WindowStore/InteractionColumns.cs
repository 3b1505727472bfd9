using System.Collections;
using System.Text;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore;

/// <summary>Interactions of one segment in the making, as columns of UTF-8: adding a row makes no object, and the columns are used again for the next segment. As a list it makes rows when they are looked at.</summary>
public sealed class InteractionColumns : IReadOnlyList<StoredInteraction>
{
    private readonly List<long> _offset = [];
    private readonly List<double?> _value = [];
    private readonly List<long> _timestampMs = [];

    internal IReadOnlyList<long> Offsets => _offset;
    internal Utf8Column EventIds { get; } = new();
    internal Utf8Column Users { get; } = new();
    internal Utf8Column Items { get; } = new();
    internal Utf8Column Types { get; } = new();
    internal IReadOnlyList<double?> Values => _value;
    internal IReadOnlyList<long> TimestampsMs => _timestampMs;
    /// <summary>Empty: none.</summary>
    internal Utf8Column SessionIds { get; } = new();

    public int Count => _offset.Count;

    public StoredInteraction this[int row] => new(
        _offset[row], EventIds.TextOf(row), new UserId(Users.TextOf(row)), new ItemId(Items.TextOf(row)), Types.TextOf(row), _value[row], _timestampMs[row],
        SessionIds[row].IsEmpty ? null : SessionIds.TextOf(row));

    /// <summary>Adds a row; texts are UTF-8. The fields are those of <see cref="StoredInteraction"/>.</summary>
    /// <param name="sessionId">Empty: none.</param>
    public void Add(long offset, ReadOnlySpan<byte> eventId, ReadOnlySpan<byte> user, ReadOnlySpan<byte> item, ReadOnlySpan<byte> type, double? value, long timestampMs, ReadOnlySpan<byte> sessionId)
    {
        EventIds.Add(eventId);
        Users.Add(user);
        Items.Add(item);
        Types.Add(type);
        SessionIds.Add(sessionId);
        _value.Add(value);
        _timestampMs.Add(timestampMs);
        _offset.Add(offset);
    }

    public void Add(StoredInteraction row) => Add(
        row.Offset, Encoding.UTF8.GetBytes(row.EventId), Encoding.UTF8.GetBytes(row.User.Value), Encoding.UTF8.GetBytes(row.Item.Value), Encoding.UTF8.GetBytes(row.Type),
        row.Value, row.TimestampMs, row.SessionId is null ? default : Encoding.UTF8.GetBytes(row.SessionId));

    public void Clear() => Truncate(0);

    /// <summary>Removes all rows of a user.</summary>
    public void Remove(UserId user)
    {
        var id = Encoding.UTF8.GetBytes(user.Value);
        int first = 0; // of the user's rows; mostly there is none, and nothing is made then
        while (first < Count && !Users[first].SequenceEqual(id)) first++;
        if (first == Count) return;
        var kept = new List<StoredInteraction>();
        for (int row = first + 1; row < Count; row++)
            if (!Users[row].SequenceEqual(id)) kept.Add(this[row]);
        Truncate(first);
        foreach (var row in kept) Add(row);
    }

    public IEnumerator<StoredInteraction> GetEnumerator()
    {
        for (int row = 0; row < Count; row++) yield return this[row];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private void Truncate(int count)
    {
        foreach (var column in new[] { EventIds, Users, Items, Types, SessionIds }) column.Truncate(count);
        _offset.RemoveRange(count, _offset.Count - count);
        _value.RemoveRange(count, _value.Count - count);
        _timestampMs.RemoveRange(count, _timestampMs.Count - count);
    }
}
