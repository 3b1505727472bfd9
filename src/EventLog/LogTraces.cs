using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog.DeadLetters;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.EventLog;

/// <summary>Messages of a user in one partition.</summary>
/// <param name="NewestMs">When the log took the newest of them, UTC milliseconds.</param>
public sealed record LogTrace(string Topic, int Partition, long Messages, long NewestMs);

/// <summary>What the log holds of a user: messages under the user's key, unreadable ones that speak of the user, dead letters about such.</summary>
/// <param name="AppendOnly">The log erases nothing: its messages stay until retention or compaction removes them.</param>
public sealed record LogTraces(IReadOnlyList<LogTrace> Found, bool AppendOnly)
{
    public static async Task<LogTraces> FindAsync(IEventLog log, UserId user, TimeSpan allowedClockError, CancellationToken cancellationToken)
    {
        byte[] id = Encoding.UTF8.GetBytes(user.Value);
        var mentions = new UserMentions([user]);
        var reader = new InteractionReader();
        var found = new List<LogTrace>();
        bool appendOnly = false;
        appendOnly |= await LookAsync(Topics.Interactions, message => message.Key.Span.SequenceEqual(id)
            || (message.Value is { } value && mentions.In(value.Span) && InteractionMessage.Read(reader, message, allowedClockError) is not null)).ConfigureAwait(false);
        appendOnly |= await LookAsync(Topics.DeadLetters, message => message.Value is { } value
            && (DeadLetterJson.TryRead(value, out var letter) ? mentions.In(letter) : mentions.In(value.Span))).ConfigureAwait(false);
        return new LogTraces(found, appendOnly);

        async Task<bool> LookAsync(string topic, Func<LogMessage, bool> holds)
        {
            var messages = new SortedDictionary<int, LogTrace>();
            bool Note(LogMessage message)
            {
                if (!holds(message)) return false;
                var before = messages.GetValueOrDefault(message.Partition) ?? new LogTrace(topic, message.Partition, 0, long.MinValue);
                messages[message.Partition] = before with { Messages = before.Messages + 1, NewestMs = Math.Max(before.NewestMs, message.TimestampMs) };
                return false;
            }
            bool only = await log.EraseAsync(topic, Note, cancellationToken).ConfigureAwait(false) is null;
            if (only)
                await foreach (var message in log.ReadToEndAsync(topic, ReaderGroups.DeadLetters, _ => 0, cancellationToken).ConfigureAwait(false)) Note(message);
            found.AddRange(messages.Values);
            return only;
        }
    }
}
