using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.EventLog.DeadLetters;

/// <summary>What could not be read: listed, shown, brought back. The topic itself says what there is, so each call reads it through.</summary>
/// <param name="allowedClockError">As the readers of the events have it.</param>
public sealed class DeadLetterLog(IEventLog log, TimeSpan allowedClockError, TimeProvider time) : IDisposable
{
    /// <summary>Letters brought back together: what their bytes take in memory, and their number.</summary>
    private const int MostAtOnce = 10_000, MostBytesAtOnce = 32 << 20;

    private readonly SemaphoreSlim _replaying = new(1);

    /// <summary>Letters in order of their identities, without the bytes of their messages.</summary>
    /// <param name="after">Only letters behind this one.</param>
    public async Task<DeadLetterPage> ListAsync(DeadLetterFilter filter, LogPlace? after, int limit, CancellationToken cancellationToken)
    {
        var index = await DeadLetterIndex.ReadAsync(log, cancellationToken).ConfigureAwait(false);
        var matching = index.Select(filter);
        var rest = after is { } last ? matching.Where(id => id.CompareTo(last) > 0).ToList() : matching;
        var page = new List<DeadLetterSummary>();
        await foreach (var (_, letter) in LettersAsync(index, [.. rest.Take(limit)], cancellationToken).ConfigureAwait(false)) page.Add(DeadLetterSummary.Of(letter));
        page.Sort((one, other) => one.Id.CompareTo(other.Id));
        return new DeadLetterPage(page, index.Count, matching.Count, rest.Count > limit);
    }

    /// <summary>Null: there is none, or it is done.</summary>
    public async Task<DeadLetter?> FindAsync(LogPlace id, CancellationToken cancellationToken)
    {
        var index = await DeadLetterIndex.ReadAsync(log, cancellationToken).ConfigureAwait(false);
        if (index.Find(id) is null) return null;
        await foreach (var (_, letter) in LettersAsync(index, [id], cancellationToken).ConfigureAwait(false)) return letter;
        return null;
    }

    /// <summary>
    /// Appends messages to the topics that they came from, as they were, and then marks their letters as done. A crash in between leaves letters that are brought back once more: their events name
    /// the place where they stood first and so count once.
    /// </summary>
    /// <param name="force">Also what is still unreadable or was superseded.</param>
    /// <param name="dryRun">Only say what would be done.</param>
    public async Task<ReplayReport> ReplayAsync(DeadLetterFilter filter, bool force, bool dryRun, CancellationToken cancellationToken)
    {
        await _replaying.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var index = await DeadLetterIndex.ReadAsync(log, cancellationToken).ConfigureAwait(false);
            var wanted = index.Select(filter);
            var report = new ReplayReport(dryRun);
            foreach (var id in (filter.Ids ?? new HashSet<LogPlace>()).Where(id => index.Find(id) is null).Order()) report.Add(id, ReplayOutcome.Unknown, "there is no such letter, or it is done");

            var some = new List<ReturningLetter>();
            long bytes = 0;
            await foreach (var (at, letter) in LettersAsync(index, wanted, cancellationToken).ConfigureAwait(false))
            {
                some.Add(new ReturningLetter(letter, at));
                bytes += letter.Value?.Length ?? 0;
                if (some.Count < MostAtOnce && bytes < MostBytesAtOnce) continue;
                await ReturnAsync(some, report, force, cancellationToken).ConfigureAwait(false);
                some.Clear();
                bytes = 0;
            }
            await ReturnAsync(some, report, force, cancellationToken).ConfigureAwait(false);
            return report;
        }
        finally
        {
            _replaying.Release();
        }
    }

    public void Dispose() => _replaying.Dispose();

    private async Task ReturnAsync(List<ReturningLetter> letters, ReplayReport report, bool force, CancellationToken cancellationToken)
    {
        letters.Sort((one, other) => one.Id.CompareTo(other.Id)); // one key's messages keep their order
        foreach (var letter in letters) letter.Read(time.GetUtcNow().ToUnixTimeMilliseconds(), allowedClockError);
        await Successors.LookForAsync(log, [.. letters.Where(letter => letter.Problem is null)], allowedClockError, cancellationToken).ConfigureAwait(false);

        var back = new List<ReturningLetter>();
        foreach (var letter in letters)
        {
            bool goes = letter.IsBack || letter is { Problem: null, Superseded: null } || (force && letter.HasTopic);
            if (goes) back.Add(letter);
            if (goes) report.Add(letter.Id, ReplayOutcome.Replayed, null);
            else if (letter.Problem is { } problem) report.Add(letter.Id, ReplayOutcome.Unreadable, problem.Message);
            else report.Add(letter.Id, ReplayOutcome.Superseded, letter.Superseded);
        }
        if (report.DryRun || back.Count == 0) return;
        foreach (var topic in back.Where(letter => !letter.IsBack).GroupBy(letter => letter.Id.Topic))
            await log.AppendAsync(topic.Key, [.. topic.Select(letter => letter.Record)], cancellationToken).ConfigureAwait(false);
        await log.AppendAsync(Topics.DeadLetters, [.. back.Select(letter => DoneMark.For(letter.Id, letter.At))], CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>The letters in the order of the topic.</summary>
    private async IAsyncEnumerable<(LogPosition At, DeadLetter Letter)> LettersAsync(
        DeadLetterIndex index, List<LogPlace> ids, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (ids.Count == 0) yield break;
        var left = ids.Select(id => index.Find(id)!.Value).ToHashSet();
        var from = left.GroupBy(at => at.Partition).ToDictionary(partition => partition.Key, partition => partition.Min(at => at.Offset));
        await foreach (var message in log.ReadToEndAsync(Topics.DeadLetters, ReaderGroups.DeadLetters, partition => from.GetValueOrDefault(partition, long.MaxValue), cancellationToken).ConfigureAwait(false))
        {
            var at = new LogPosition(message.Partition, message.Offset);
            if (left.Remove(at) && message.Value is { } value && DeadLetterJson.TryRead(value, out var letter)) yield return (at, letter);
            if (left.Count == 0) yield break;
        }
    }
}
