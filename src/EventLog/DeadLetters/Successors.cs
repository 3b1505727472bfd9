using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.EventLog.DeadLetters;

/// <summary>
/// Looks in the log for what followed the messages of letters: a newer description of the item or its deletion, the user's wish to be forgotten, or the message itself, back already. The log knows
/// it before any store does.
/// </summary>
internal static class Successors
{
    public static async Task LookForAsync(IEventLog log, IReadOnlyList<ReturningLetter> letters, TimeSpan allowedClockError, CancellationToken cancellationToken)
    {
        foreach (var topic in letters.GroupBy(letter => letter.Id.Topic))
        {
            var byKey = topic.ToLookup(letter => (letter.Id.Partition, Key: (ReadOnlyMemory<byte>)letter.Record.Key), KeyComparer.Instance);
            // An item's change may stand before the letter and yet be newer by its own time; an interaction is replaced by nothing that stands before it.
            var from = topic.GroupBy(letter => letter.Id.Partition).ToDictionary(
                partition => partition.Key, partition => topic.Key == Topics.Items ? 0 : partition.Min(letter => letter.Id.Offset) + 1);
            foreach (var letter in topic)
                if (await log.BeginOffsetAsync(topic.Key, letter.Id.Partition, cancellationToken).ConfigureAwait(false) is var begin && begin > letter.Id.Offset + 1)
                    letter.Superseded = $"what followed it is no longer in the log, which begins at {begin}: whether something newer took its place is not known";
            await foreach (var message in log.ReadToEndAsync(topic.Key, ReaderGroups.DeadLetters, partition => from.GetValueOrDefault(partition, long.MaxValue), cancellationToken).ConfigureAwait(false))
                foreach (var letter in byKey[(message.Partition, message.Key)]) Compare(letter, message, allowedClockError);
        }
    }

    private static void Compare(ReturningLetter letter, in LogMessage message, TimeSpan allowedClockError)
    {
        if (message.Offset == letter.Id.Offset) return;
        var first = LogPlace.FirstOf(letter.Id.Topic, message);
        if (first == letter.Id)
        {
            // One that came back and was refused again has to go once more.
            letter.IsBack |= !letter.CameBack;
            return;
        }
        bool later = first.Partition == letter.Id.Partition ? first.Offset > letter.Id.Offset : message.Offset > letter.Id.Offset;
        if (message.Value is null)
        {
            if (later) letter.Superseded = letter.Id.Topic == Topics.Items ? $"the item was deleted by {first}" : $"the user was forgotten by {first}";
            return;
        }
        if (letter.Id.Topic != Topics.Items || !ItemMessage.TryRead(message, allowedClockError, out var item, out _)) return;
        if (later || (letter.Item is { } own && item.UpdatedAtMs > own.UpdatedAtMs)) letter.Superseded = $"the item was described anew by {first}";
    }

    private sealed class KeyComparer : IEqualityComparer<(int Partition, ReadOnlyMemory<byte> Key)>
    {
        public static KeyComparer Instance { get; } = new();

        public bool Equals((int Partition, ReadOnlyMemory<byte> Key) one, (int Partition, ReadOnlyMemory<byte> Key) other) => one.Partition == other.Partition && one.Key.Span.SequenceEqual(other.Key.Span);

        public int GetHashCode((int Partition, ReadOnlyMemory<byte> Key) key)
        {
            var hash = new HashCode();
            hash.Add(key.Partition);
            hash.AddBytes(key.Key.Span);
            return hash.ToHashCode();
        }
    }
}
