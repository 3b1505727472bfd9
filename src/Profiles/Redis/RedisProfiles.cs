using System.Collections.Concurrent;
using System.Globalization;
using BeeFormer.Streaming.Contracts;
using StackExchange.Redis;

namespace BeeFormer.Streaming.Profiles.Redis;

/// <summary>
/// Profiles in Redis. A batch is applied to what Redis holds of its users and written by one script a shard, which moves the position with them and writes only on what was read:
/// a script that ran although its answer was lost, or another writer, is noticed by the position.
/// </summary>
internal sealed class RedisProfiles : IProfiles, IAsyncDisposable
{
    private const int ChangesAtOnce = 4096; // bounds a call's bytes and the time that others wait for it
    private const int Attempts = 10; // against another writer

    private readonly ProfilesOptions _options;
    private readonly Task<IConnectionMultiplexer> _connection;
    private readonly ProfileKeys _keys;
    private readonly RedisCalls _calls;
    private readonly string _timeToLiveMs;
    private readonly ConcurrentDictionary<(int Partition, int Shard), long> _positions = []; // as this process knows them

    /// <param name="connection">Calls wait for it, within their limits.</param>
    public RedisProfiles(Task<IConnectionMultiplexer> connection, ProfilesOptions options, RedisCalls calls)
    {
        (_connection, _options, _calls) = (connection, options.Checked(), calls);
        _keys = new ProfileKeys(options.Prefix, options.Shards);
        _timeToLiveMs = ((long)options.TimeToLive.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
    }

    private async Task<T> OnServerAsync<T>(Func<IDatabase, Task<T>> call) => await call((await _connection.ConfigureAwait(false)).GetDatabase()).ConfigureAwait(false);

    public long NextOffset(int partition)
    {
        for (int shard = 0; shard < _keys.Shards; shard++)
        {
            var positions = _keys.Positions(shard);
            _positions[(partition, shard)] = _calls.Read(() => (long)_connection.GetAwaiter().GetResult().GetDatabase().HashGet(positions, partition));
        }
        return Enumerable.Range(0, _keys.Shards).Min(shard => _positions[(partition, shard)]);
    }

    public async ValueTask ApplyAsync(int partition, long nextOffset, IReadOnlyList<ProfileChange> changes, CancellationToken cancellationToken)
    {
        for (int from = 0; from == 0 || from < changes.Count; from += ChangesAtOnce)
        {
            var part = changes.Skip(from).Take(ChangesAtOnce);
            long next = from + ChangesAtOnce < changes.Count ? changes[from + ChangesAtOnce].Offset : nextOffset;
            var byShard = part.ToLookup(change => _keys.ShardOf(change.User));
            // Shards without changes move on, too: the log is read again from the least position.
            await Task.WhenAll(Enumerable.Range(0, _keys.Shards).Select(shard => ApplyAsync(partition, shard, next, [.. byShard[shard]], cancellationToken))).ConfigureAwait(false);
        }
    }

    public async ValueTask<IReadOnlyList<ProfileInteraction>> GetAsync(UserId user, CancellationToken cancellationToken)
    {
        var stored = await _calls.ReadAsync(() => OnServerAsync(database => database.StringGetAsync(_keys.User(user))), cancellationToken).ConfigureAwait(false);
        return UserProfile.NewestFirst(StoredProfile.Interactions(stored), _options.InteractionsPerUser);
    }

    /// <summary>What was applied is in Redis; how durable that is, Redis decides (<c>appendonly</c>). Profiles and positions are lost together or not at all.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync() => await (await _connection.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);

    private async Task ApplyAsync(int partition, int shard, long next, IReadOnlyList<ProfileChange> changes, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            long position = await PositionAsync(partition, shard, cancellationToken).ConfigureAwait(false);
            if (position >= next) return;
            var write = await ChangedAsync(partition, shard, position, next, changes, cancellationToken).ConfigureAwait(false);
            var answer = await _calls.ChangeAsync(() => OnServerAsync(database => database.ScriptEvaluateAsync(ProfileScript.Write, write.Keys, write.Arguments)), cancellationToken).ConfigureAwait(false);
            if ((long)answer != next) continue; // another writer: once more on what it left
            _positions[(partition, shard)] = next;
            return;
        }
        throw new IOException($"interactions/{partition}: profiles before offset {next} changed {Attempts} times while they were written; expected one writer of a partition");
    }

    private async Task<long> PositionAsync(int partition, int shard, CancellationToken cancellationToken)
    {
        long position = (long)await _calls.ChangeAsync(() => OnServerAsync(database => database.HashGetAsync(_keys.Positions(shard), partition)), cancellationToken).ConfigureAwait(false);
        long known = _positions.GetOrAdd((partition, shard), position);
        if (position < known) throw new IOException($"Redis went back from offset {known} of interactions/{partition} to {position}: it has lost profiles; the log is to be read again from there");
        _positions[(partition, shard)] = position;
        return position;
    }

    private async Task<(RedisKey[] Keys, RedisValue[] Arguments)> ChangedAsync(int partition, int shard, long position, long next, IReadOnlyList<ProfileChange> changes, CancellationToken cancellationToken)
    {
        RedisKey[] users = [.. changes.Where(change => change.Offset >= position).Select(change => _keys.User(change.User)).Distinct()];
        var stored = users.Length == 0 ? [] : await _calls.ChangeAsync(() => OnServerAsync(database => database.StringGetAsync(users)), cancellationToken).ConfigureAwait(false);
        var read = new Dictionary<RedisKey, byte[]?>();
        for (int n = 0; n < users.Length; n++) read[users[n]] = stored[n];

        var changed = new Dictionary<RedisKey, (UserProfile Profile, long Offset)>();
        foreach (var change in changes)
        {
            if (change.Offset < position) continue;
            var key = _keys.User(change.User);
            var profile = changed.TryGetValue(key, out var one) ? one.Profile : new UserProfile(StoredProfile.Interactions(read[key]).ToArray());
            if (change.Interaction is not { } interaction) profile.Clear();
            else if (!profile.Add(interaction, _options.InteractionsPerUser)) continue;
            changed[key] = (profile, change.Offset);
        }

        var keys = new List<RedisKey>(changed.Count + 1) { _keys.Positions(shard) };
        var arguments = new List<RedisValue>(2 * changed.Count + 4) { partition, position, next, _timeToLiveMs };
        foreach (var (key, (profile, offset)) in changed)
        {
            keys.Add(key);
            arguments.Add(StoredProfile.Stamp(read[key]).ToArray());
            arguments.Add(profile.Bytes.IsEmpty ? RedisValue.EmptyString : StoredProfile.Of(partition, offset, profile.Bytes));
        }
        return ([.. keys], [.. arguments]);
    }
}
