using BeeFormer.Streaming.Contracts;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Profiles.Embedded;

/// <summary>
/// Profiles on disk, the latest changed ones in memory. Changes are made in memory and written together in the background, each time with the log positions that they stand for; what a crash takes is read again from
/// the log. Readers see changes at once, and neither they nor changes wait for the disk, unless changes come faster than it takes them for longer than the memory lasts.
/// </summary>
internal sealed class EmbeddedProfiles : IProfiles, IAsyncDisposable
{
    private readonly ProfilesOptions _options;
    private readonly ILogger _logger;
    private readonly ProfileDatabase _database;
    private readonly ProfileReader _readsForChanges, _reads;
    private readonly SemaphoreSlim _applying = new(1), _writing = new(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _writer;
    private Task _early = Task.CompletedTask;

    private readonly Lock _gate = new(); // over what follows
    private readonly ProfileCache _cache;
    private readonly Dictionary<int, long> _applied;
    private Dictionary<int, long> _durable;

    public EmbeddedProfiles(string folder, ProfilesOptions options, TimeProvider time, ILogger logger)
    {
        (_options, _logger) = (options.Checked(), logger);
        RemoveSnapshot(folder);
        _database = new ProfileDatabase(folder);
        (_readsForChanges, _reads) = (_database.OpenReader(), _database.OpenReader());
        _durable = _database.Positions();
        _applied = new Dictionary<int, long>(_durable);
        _cache = new ProfileCache(options.InteractionsPerUser);
        _writer = WriteRegularlyAsync(new PeriodicTimer(options.WriteInterval, time));
    }

    /// <summary>Bytes of profiles in memory, about.</summary>
    public long HeldBytes
    {
        get
        {
            lock (_gate) return _cache.Bytes;
        }
    }

    public long NextOffset(int partition)
    {
        lock (_gate) return _durable.GetValueOrDefault(partition);
    }

    public async ValueTask ApplyAsync(int partition, long nextOffset, IReadOnlyList<ProfileChange> changes, CancellationToken cancellationToken)
    {
        await _applying.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Nobody else brings users in or drops them, so after this they are all here.
            var read = ReadMissing(partition, changes);
            lock (_gate)
            {
                foreach (var (user, interactions) in read) _cache.Load(user, interactions);
                long known = _applied.GetValueOrDefault(partition);
                foreach (var change in changes)
                    if (change.Offset >= known) _cache.Apply(change);
                if (nextOffset > known) _applied[partition] = nextOffset;
                _cache.Shrink(_options.MemoryBytes);
            }
        }
        finally
        {
            _applying.Release();
        }
        await WriteWhenMuchAsync(cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<IReadOnlyList<ProfileInteraction>> GetAsync(UserId user, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        byte[]? held = null;
        lock (_gate)
            if (_cache.TryGet(user, out var profile)) held = profile.Bytes.ToArray();
        return new(UserProfile.NewestFirst(held ?? _reads.Read(user), _options.InteractionsPerUser));
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        await WriteAsync(0, cancellationToken).ConfigureAwait(false);
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            _database.Flush();
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Writes nothing any more: what was not flushed is read again from the log.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested) return;
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_writer, _early).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _writing.WaitAsync().ConfigureAwait(false);
        _readsForChanges.Dispose();
        _reads.Dispose();
        _database.Dispose();
    }

    private List<(UserId User, byte[] Interactions)> ReadMissing(int partition, IReadOnlyList<ProfileChange> changes)
    {
        var missing = new HashSet<UserId>();
        lock (_gate)
        {
            long known = _applied.GetValueOrDefault(partition);
            foreach (var change in changes)
                if (change.Offset >= known && !_cache.Contains(change.User)) missing.Add(change.User);
        }
        return [.. missing.Select(user => (user, _readsForChanges.Read(user)))];
    }

    // Half of the memory in changes is worth a write before its time; at three quarters changes wait for it.
    private async Task WriteWhenMuchAsync(CancellationToken cancellationToken)
    {
        long unwritten, much = _options.MemoryBytes / 2, tooMuch = much + much / 2;
        lock (_gate) unwritten = _cache.UnwrittenBytes;
        if (unwritten > much && _writing.CurrentCount > 0) _early = Task.Run(() => WriteLoggedAsync(much), CancellationToken.None);
        if (unwritten > tooMuch) await WriteAsync(tooMuch, cancellationToken).ConfigureAwait(false);
    }

    private async Task WriteRegularlyAsync(PeriodicTimer interval)
    {
        try
        {
            using (interval)
                while (await interval.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false)) await WriteLoggedAsync(0).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task WriteLoggedAsync(long whenAbove)
    {
        try
        {
            await WriteAsync(whenAbove, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            _logger.LogError(e, "Writing profiles failed; they stay in memory and are written with the next ones");
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    /// <param name="whenAbove">Unwritten bytes from which on it is worth it, seen when it is this call's turn; 0: whenever positions moved.</param>
    private async Task WriteAsync(long whenAbove, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            List<ChangedProfile> changed;
            Dictionary<int, long> from, to;
            lock (_gate)
            {
                if (whenAbove > 0 && _cache.UnwrittenBytes <= whenAbove) return;
                (from, to) = (_durable, new Dictionary<int, long>(_applied));
                changed = _cache.TakeChanged();
            }
            try
            {
                if (changed.Count > 0 || to.Any(position => from.GetValueOrDefault(position.Key) != position.Value)) _database.Write(changed, from, to);
            }
            catch
            {
                lock (_gate) _cache.NotWritten();
                throw;
            }
            lock (_gate)
            {
                _cache.Written();
                _durable = to;
            }
            _database.RemoveForgotten();
        }
        finally
        {
            _writing.Release();
        }
    }

    // What versions before this one wrote: all users in one file.
    private void RemoveSnapshot(string folder)
    {
        string snapshot = Path.Combine(folder, "profiles.snapshot");
        if (!File.Exists(snapshot)) return;
        _logger.LogInformation("{Snapshot} is of an older version and is removed; the profiles are built again from the log", snapshot);
        DurableFiles.DeleteFile(snapshot);
        DurableFiles.FlushFolder(folder);
    }
}
