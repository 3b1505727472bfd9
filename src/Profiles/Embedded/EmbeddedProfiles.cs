using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Profiles.Embedded;

/// <summary>Profiles in memory, with a snapshot on disk. What a crash takes is read again from the log.</summary>
internal sealed class EmbeddedProfiles : IProfiles
{
    private readonly string _path;
    private readonly EmbeddedProfilesOptions _options;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Dictionary<UserId, UserProfile> _users;
    private readonly Dictionary<int, long> _applied;
    private Dictionary<int, long> _durable;
    private int _unsaved;
    private long _savedAt;

    public EmbeddedProfiles(string folder, EmbeddedProfilesOptions options, TimeProvider time)
    {
        if (options.InteractionsPerUser is < 1 or > 10_000)
            throw new ArgumentException($"InteractionsPerUser is {options.InteractionsPerUser}; expected 1 to 10,000", nameof(options));
        Directory.CreateDirectory(folder);
        (_path, _options, _time) = (Path.Combine(Path.GetFullPath(folder), "profiles.snapshot"), options, time);
        (_applied, _users) = ProfileSnapshot.Read(_path, options.InteractionsPerUser);
        _durable = new Dictionary<int, long>(_applied);
        _savedAt = time.GetTimestamp();
    }

    public long NextOffset(int partition)
    {
        lock (_gate) return _durable.GetValueOrDefault(partition);
    }

    public ValueTask ApplyAsync(int partition, long nextOffset, IReadOnlyList<ProfileChange> changes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        bool due;
        lock (_gate)
        {
            long known = _applied.GetValueOrDefault(partition);
            foreach (var change in changes)
                if (change.Offset >= known) Apply(change);
            if (nextOffset > known)
            {
                _unsaved += (int)Math.Min(int.MaxValue / 2, nextOffset - known);
                _applied[partition] = nextOffset;
            }
            due = _unsaved > 0 && (_unsaved >= _options.SnapshotChanges || _time.GetElapsedTime(_savedAt) >= _options.SnapshotInterval);
        }
        if (due) Save();
        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyList<ProfileInteraction>> GetAsync(UserId user, CancellationToken cancellationToken)
    {
        lock (_gate) return new(_users.TryGetValue(user, out var profile) ? profile.NewestFirst() : []);
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        Save();
        return ValueTask.CompletedTask;
    }

    private void Apply(ProfileChange change)
    {
        if (change.Interaction is not { } interaction)
        {
            _users.Remove(change.User);
            return;
        }
        if (!_users.TryGetValue(change.User, out var profile)) _users[change.User] = profile = new UserProfile();
        profile.Add(interaction, _options.InteractionsPerUser);
    }

    // Readers wait while the snapshot is written: it must be of one moment, and a copy of every profile would double the memory.
    private void Save()
    {
        lock (_gate)
        {
            if (_unsaved == 0) return;
            ProfileSnapshot.Write(_path, _applied, _users);
            _durable = new Dictionary<int, long>(_applied);
            _unsaved = 0;
            _savedAt = _time.GetTimestamp();
        }
    }
}
