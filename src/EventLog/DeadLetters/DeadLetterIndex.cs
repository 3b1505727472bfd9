using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.EventLog.DeadLetters;

/// <summary>Which letters there are and where each lies, out of the whole topic: the newest of an identity counts, unless it is done. Keeps about a hundred bytes a letter, none of its own bytes.</summary>
internal sealed class DeadLetterIndex
{
    private readonly record struct Entry(LogPosition At, string Reason);

    private readonly Dictionary<LogPlace, Entry> _letters = [];
    private readonly HashSet<string> _names = []; // of reasons and topics: few, each kept once

    public int Count => _letters.Count;

    public static async Task<DeadLetterIndex> ReadAsync(IEventLog log, CancellationToken cancellationToken)
    {
        var index = new DeadLetterIndex();
        await foreach (var message in log.ReadToEndAsync(Topics.DeadLetters, ReaderGroups.DeadLetters, _ => 0, cancellationToken).ConfigureAwait(false)) index.Take(message);
        return index;
    }

    /// <summary>In order of the identities.</summary>
    public List<LogPlace> Select(DeadLetterFilter filter) => [.. _letters.Where(pair => filter.Fits(pair.Key, pair.Value.Reason)).Select(pair => pair.Key).Order()];

    public LogPosition? Find(LogPlace id) => _letters.TryGetValue(id, out var entry) ? entry.At : null;

    private void Take(in LogMessage message)
    {
        var at = new LogPosition(message.Partition, message.Offset);
        if (message.Value is not { } value)
        {
            // A letter behind the one that was done came back since: it stays.
            if (LogPlace.TryParse(Encoding.UTF8.GetString(message.Key.Span), out var id) && _letters.TryGetValue(id, out var known) && known.At.Offset <= DoneMark.Of(message)) _letters.Remove(id);
        }
        else if (DeadLetterJson.TryRead(value, out var letter))
        {
            _letters[DeadLetterJson.Place(letter) with { Topic = Kept(letter.Topic) }] = new Entry(at, Kept(letter.Reason));
        }
    }

    private string Kept(string name)
    {
        if (_names.TryGetValue(name, out string? known)) return known;
        _names.Add(name);
        return name;
    }
}
