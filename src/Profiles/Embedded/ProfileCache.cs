using System.Diagnostics.CodeAnalysis;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Profiles.Embedded;

/// <summary>A profile to be written.</summary>
/// <param name="Interactions">Empty: the user has none.</param>
/// <param name="Forgotten">What the disk holds of the user must go without a trace.</param>
internal readonly record struct ChangedProfile(UserId User, ReadOnlyMemory<byte> Interactions, bool Forgotten);

/// <summary>
/// Profiles in memory, the latest changed first. Changes are numbered, so those that are not on disk yet are the beginning of the list, and the end of it may go. Not for use by two threads at once.
/// </summary>
internal sealed class ProfileCache(int interactionsPerUser)
{
    private const int OverheadBytes = 200; // of a dictionary entry, a list node and the objects behind them, about

    private sealed class Entry(UserId user, UserProfile profile)
    {
        public readonly UserId User = user;
        public readonly UserProfile Profile = profile;
        public long Changed, Forgotten; // numbers of the last such changes
        public long Bytes => OverheadBytes + 2 * User.Value.Length + Profile.Capacity;
    }

    private readonly Dictionary<UserId, LinkedListNode<Entry>> _users = [];
    private readonly LinkedList<Entry> _latestFirst = [];
    private long _changes, _taken, _written;
    private long _takenBytes, _untakenBytes;

    public long Bytes { get; private set; }

    /// <summary>Bytes of profiles that are not on disk as they are here.</summary>
    public long UnwrittenBytes => _takenBytes + _untakenBytes;

    public bool Contains(UserId user) => _users.ContainsKey(user);

    public bool TryGet(UserId user, [NotNullWhen(true)] out UserProfile? profile)
    {
        profile = _users.TryGetValue(user, out var node) ? node.Value.Profile : null;
        return profile is not null;
    }

    /// <summary>Takes in what the disk holds of a user.</summary>
    public void Load(UserId user, byte[] interactions)
    {
        var node = _latestFirst.AddLast(new Entry(user, new UserProfile(interactions)));
        _users.Add(user, node);
        Bytes += node.Value.Bytes;
    }

    /// <summary>Changes a user who is here.</summary>
    public void Apply(in ProfileChange change)
    {
        var node = _users[change.User];
        var entry = node.Value;
        long bytes = entry.Bytes;
        if (change.Interaction is { } interaction)
        {
            if (!entry.Profile.Add(interaction, interactionsPerUser)) return;
        }
        else
        {
            entry.Profile.Clear();
            entry.Forgotten = _changes + 1;
        }
        long more = entry.Bytes - bytes;
        Bytes += more;
        _untakenBytes += entry.Changed > _taken ? more : entry.Bytes;
        entry.Changed = ++_changes;
        _latestFirst.Remove(node);
        _latestFirst.AddFirst(node);
    }

    /// <summary>What is not on disk yet, as it is now. Ends in <see cref="Written"/> or <see cref="NotWritten"/>.</summary>
    public List<ChangedProfile> TakeChanged()
    {
        var changed = new List<ChangedProfile>();
        for (var node = _latestFirst.First; node is not null && node.Value.Changed > _written; node = node.Next)
            changed.Add(new ChangedProfile(node.Value.User, node.Value.Profile.Lend(), node.Value.Forgotten > _written));
        (_taken, _takenBytes, _untakenBytes) = (_changes, UnwrittenBytes, 0);
        return changed;
    }

    public void Written() => (_written, _takenBytes) = (_taken, 0);

    public void NotWritten() => (_untakenBytes, _takenBytes) = (UnwrittenBytes, 0);

    /// <summary>Drops what has not been changed for longest, down to <paramref name="bytes"/> or to what is not on disk yet.</summary>
    public void Shrink(long bytes)
    {
        while (Bytes > bytes && _latestFirst.Last is { } last && last.Value.Changed <= _written)
        {
            _latestFirst.RemoveLast();
            _users.Remove(last.Value.User);
            Bytes -= last.Value.Bytes;
        }
    }
}
