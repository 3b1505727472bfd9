using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.DeadLetters;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.ServiceDefaults;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Ingest;

/// <summary>
/// The last step of an erasure: takes out of the log what all stores are done with. A user's request stays in the log until everything else is gone, so a crash at any point is made good: before the segment that covers
/// the request is durable, Ingest reads it again; after it, the search at the next start finds it. Of a log that can only be appended to nothing is taken.
/// </summary>
internal sealed class LogErasing(IEventLog log, IWindowStore store, IProfiles profiles, IOptions<IngestOptions> options, TimeProvider time, ILogger<LogErasing> logger) : BackgroundService
{
    /// <summary>How often at most it is looked whether the stores have come past a request.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<(int Partition, UserId User), (long Offset, long AtMs)> _requests = [];
    private readonly HashSet<LogPosition> _late = [];
    private readonly WakeSignal _news = new();

    /// <summary>Of a request that was read: the user's messages up to it are to go, then itself.</summary>
    public void Requested(in LogMessage request, UserId user)
    {
        lock (_gate) _requests[(request.Partition, user)] = (request.Offset, request.TimestampMs);
        _news.Wake();
    }

    /// <summary>Of an event that was left out because its user was erased after its time: it is to go.</summary>
    public void CameTooLate(in LogMessage message)
    {
        lock (_gate) _late.Add(new LogPosition(message.Partition, message.Offset));
        _news.Wake();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        bool searched = false;
        try
        {
            while (true)
            {
                long begun = time.GetTimestamp();
                TimeSpan pause = options.Value.MaxRetryDelay;
                try
                {
                    if (!searched && store.Erasures().Count > 0) await SearchAsync(stoppingToken).ConfigureAwait(false);
                    searched = true;
                    await EraseAsync(stoppingToken).ConfigureAwait(false);
                    pause = !IsWaiting ? TimeSpan.Zero : TimeSpan.FromTicks(Math.Max(Look.Ticks, 9 * time.GetElapsedTime(begun).Ticks));
                }
                catch (Exception failure) when (failure is IOException or InvalidDataException)
                {
                    logger.LogError(failure, "Messages of erased users could not be taken out of the log; the next attempt follows in {Pause}", pause);
                }
                // What was asked for meanwhile waits, too: each attempt reads the whole log, so at most a tenth of the time goes there.
                if (pause > TimeSpan.Zero) await Task.Delay(pause, time, stoppingToken).ConfigureAwait(false);
                else await _news.WaitAsync(Timeout.InfiniteTimeSpan, time, stoppingToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private bool IsWaiting
    {
        get
        {
            lock (_gate) return _requests.Count > 0 || _late.Count > 0;
        }
    }

    // What a process before this one did not come to.
    private async Task SearchAsync(CancellationToken cancellationToken)
    {
        var reader = new InteractionReader();
        var landed = new Dictionary<int, long>();
        await log.EraseAsync(Topics.Interactions, message =>
        {
            if (!landed.TryGetValue(message.Partition, out long done)) landed[message.Partition] = done = Done(message.Partition);
            if (message.Offset >= done || !InteractionJson.TryReadKey(message.Key.Span, out var user, out _)) return false; // Ingest comes to it
            if (message.Value is null) Requested(message, user);
            else if (store.IsErased(user, long.MinValue) && InteractionMessage.Read(reader, message, options.Value.AllowedClockError) is null && store.IsErased(user, reader.TimestampMs)) CameTooLate(message);
            return false;
        }, cancellationToken).ConfigureAwait(false);
    }

    private async Task EraseAsync(CancellationToken cancellationToken)
    {
        Dictionary<(int Partition, UserId User), (long Offset, long AtMs)> requests;
        HashSet<LogPosition> late;
        lock (_gate)
        {
            var done = _requests.Keys.Select(key => key.Partition).Concat(_late.Select(at => at.Partition)).Distinct().ToDictionary(partition => partition, Done);
            requests = _requests.Where(request => request.Value.Offset < done[request.Key.Partition]).ToDictionary();
            late = [.. _late.Where(at => at.Offset < done[at.Partition])];
        }
        if (requests.Count == 0 && late.Count == 0) return;

        var sought = new SoughtMessages(requests, late, options.Value.AllowedClockError);
        long? erased = await log.EraseAsync(Topics.Interactions, sought.Holds, cancellationToken).ConfigureAwait(false);
        // The requests go last, in all partitions: as long as one is there, the next start repeats this.
        if (erased is not null) erased += await log.EraseAsync(Topics.Interactions, sought.IsRequest, cancellationToken).ConfigureAwait(false);
        if (erased is not null) logger.LogInformation("{Messages} messages of {Users} erased users were taken out of the log", erased, requests.Count);
        lock (_gate)
        {
            foreach (var (key, request) in requests)
                if (_requests[key] == request) _requests.Remove(key); // or there is a newer one
            _late.ExceptWith(late);
        }
    }

    // First offset that one of the stores still needs.
    private long Done(int partition) => Math.Min(store.NextOffset(Topics.Interactions, partition), profiles.NextOffset(partition));

    private sealed class SoughtMessages(Dictionary<(int Partition, UserId User), (long Offset, long AtMs)> requests, HashSet<LogPosition> late, TimeSpan allowedClockError)
    {
        private readonly InteractionReader _reader = new();
        private readonly char[] _key = new char[Id.MaxBytes];
        private readonly Dictionary<string, List<(int Partition, long Offset)>> _offsets =
            requests.GroupBy(request => request.Key.User.Value).ToDictionary(user => user.Key, user => user.Select(request => (request.Key.Partition, request.Value.Offset)).ToList());
        private readonly UserMentions _all = new(requests.Keys.Select(key => key.User));
        private readonly (UserMentions Mentions, long AtMs)[] _users = [.. requests.Select(request => (new UserMentions([request.Key.User]), request.Value.AtMs))];

        public bool Holds(LogMessage message)
        {
            if (late.Contains(new LogPosition(message.Partition, message.Offset))) return true;
            if (Of(message) is { } offset) return message.Offset < offset;
            // Of others are those that cannot be read and speak of the user: their letters are gone, too.
            if (message.Value is not { } value || !_all.In(value.Span) || !_users.Any(user => message.TimestampMs <= user.AtMs && user.Mentions.In(value.Span))) return false;
            return InteractionMessage.Read(_reader, message, allowedClockError) is not null;
        }

        public bool IsRequest(LogMessage message) => message.Value is null && Of(message) is { } offset && message.Offset <= offset;

        // The offset of the request of the message's user.
        private long? Of(in LogMessage message)
        {
            if (message.Key.Length > _key.Length) return null;
            int length = Encoding.UTF8.GetChars(message.Key.Span, _key);
            if (!_offsets.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(_key.AsSpan(0, length), out var offsets)) return null;
            int partition = message.Partition;
            return offsets.FindIndex(request => request.Partition == partition) is >= 0 and var n ? offsets[n].Offset : null;
        }
    }
}
