using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace BeeFormer.Streaming.ModelStore;

/// <summary>Leases by watching: whoever wants one takes it over when it was given back, its holder's process has ended on this machine, or nothing has changed for <see cref="LeaseTimes.Length"/>.</summary>
public sealed partial class Leases : ILeases
{
    private readonly ILeaseFiles files;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    internal Leases(ILeaseFiles files, TimeProvider time, ILogger? logger = null) => (this.files, this.time, this.logger) = (files, time, logger ?? NullLogger.Instance);

    /// <summary>Leases in a folder, for processes of this machine or of several that share the folder.</summary>
    public static Leases InFolder(string folder, TimeProvider time, ILogger? logger = null) => new(new FolderLeaseFiles(folder), time, logger);

    public HeldLease? TryAcquire(string name) => Look(Checked(name), watched: null);

    public async Task<HeldLease> AcquireAsync(string name, CancellationToken cancellationToken)
    {
        Checked(name);
        var watched = new Watched();
        for (bool reachable = true; ;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (await Task.Run(() => Look(name, watched), CancellationToken.None) is { } held)
                {
                    if (!cancellationToken.IsCancellationRequested) return held;
                    await held.DisposeAsync();
                    continue;
                }
                reachable = true;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                if (reachable) logger.LogWarning(failure, "The lease {Name} cannot be looked at; it is tried again until it can", name);
                reachable = false;
            }
            await Task.Delay(LeaseTimes.Look, time, cancellationToken);
        }
    }

    private HeldLease? Look(string name, Watched? watched)
    {
        long highest = files.Highest(name);
        if (highest == 0) return Take(name, time.GetUtcNow().ToUnixTimeSeconds()); // should somebody remove the records, tokens rise all the same
        if (files.Read(name, highest) is not { } content) return null;
        bool free = LeaseRecord.TryRead(content) is { } record && (record.Released || files.HasEnded(name, record));
        return free || watched?.SameFor(highest, content, time) >= LeaseTimes.Length ? Take(name, highest + 1) : null;
    }

    private HeldLease? Take(string name, long token)
    {
        long began = time.GetTimestamp();
        var holder = Guid.NewGuid();
        IDisposable? presence = files.Attend(name, holder);
        try
        {
            var record = new LeaseRecord(holder, files.Machine, Locked: presence is not null, Renewals: 0, Released: false);
            // Created under a number that was used before and removed since: somebody is further on.
            if (!files.TryCreate(name, token, record.ToBytes()) || files.Highest(name) != token) return null;
            files.RemoveBelow(name, token);
            var held = new HeldLease(files, name, token, record, presence, time, began);
            presence = null;
            return held;
        }
        finally
        {
            presence?.Dispose();
        }
    }

    private static string Checked(string name) => Name().IsMatch(name) ? name : throw new ArgumentException($"\"{name}\" is no name of a lease; expected lower-case letters, digits and '-', at most 40.", nameof(name));

    [GeneratedRegex(@"\A[a-z0-9-]{1,40}\z")]
    private static partial Regex Name();

    /// <summary>What a contender saw last, and since when by its own clock.</summary>
    private sealed class Watched
    {
        private long token;
        private byte[] content = [];
        private long since;

        public TimeSpan SameFor(long nowToken, byte[] nowContent, TimeProvider time)
        {
            if (token != nowToken || !content.AsSpan().SequenceEqual(nowContent)) (token, content, since) = (nowToken, nowContent, time.GetTimestamp());
            return time.GetElapsedTime(since);
        }
    }
}
