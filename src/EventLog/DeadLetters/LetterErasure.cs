using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.EventLog.DeadLetters;

/// <summary>Takes the letters of erased users off the list, and their bytes off the disk where the log can do that; where it cannot, its compaction does. May be repeated.</summary>
public static class LetterErasure
{
    /// <param name="requests">When each user asked, by the log's time, UTC milliseconds: letters about later messages stay.</param>
    /// <returns>How many letters.</returns>
    public static async Task<int> EraseAsync(IEventLog log, IReadOnlyCollection<(UserId User, long AtMs)> requests, CancellationToken cancellationToken)
    {
        long newest = requests.Max(request => request.AtMs);
        var all = new UserMentions(requests.Select(request => request.User));
        var erased = new HashSet<LogPosition>();
        var marks = new List<LogRecord>();
        await foreach (var message in log.ReadToEndAsync(Topics.DeadLetters, ReaderGroups.DeadLetters, _ => 0, cancellationToken).ConfigureAwait(false))
        {
            if (message.Value is not { } value) continue;
            var at = new LogPosition(message.Partition, message.Offset);
            if (!DeadLetterJson.TryRead(value, out var letter))
            {
                if (!all.In(value.Span)) continue;
                marks.Add(new LogRecord(message.Key.ToArray(), null));
            }
            else
            {
                if (letter.TimestampMs > newest || !all.In(letter) || !requests.Any(request => letter.TimestampMs <= request.AtMs && new UserMentions([request.User]).In(letter))) continue;
                marks.Add(DoneMark.For(DeadLetterJson.Place(letter), at));
            }
            erased.Add(at);
        }
        if (erased.Count == 0) return 0;
        // First the marks: they lie behind their letters in the same partition, so that the topic never ends with a gap, and a log that erases nothing lists none of these any more.
        await log.AppendAsync(Topics.DeadLetters, marks, cancellationToken).ConfigureAwait(false);
        await log.EraseAsync(Topics.DeadLetters, message => erased.Contains(new LogPosition(message.Partition, message.Offset)), cancellationToken).ConfigureAwait(false);
        return erased.Count;
    }
}
