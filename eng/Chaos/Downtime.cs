namespace BeeFormer.Streaming.Chaos;

/// <summary>
/// When nothing can answer questions, by what was done: Qdrant is away, or every Api is: paused, or killed and not started again yet. Nothing else is an excuse: an Api that starts has a copy of its model, and without
/// Redis the answers are those for unknown users.
/// </summary>
/// <param name="apis">Names of all.</param>
internal sealed class Downtime(IReadOnlyList<string> apis)
{
    private const string Index = "qdrant";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<(TimeSpan From, TimeSpan To)>> _away = [];

    public void Away(string what, TimeSpan from, TimeSpan to)
    {
        lock (_lock)
        {
            if (!_away.TryGetValue(what, out var all)) _away[what] = all = [];
            all.Add((from, to));
        }
    }

    /// <returns>How much of a stretch without an answer there was no reason for.</returns>
    public TimeSpan Unexcused((TimeSpan From, TimeSpan To) stretch)
    {
        TimeSpan sum = TimeSpan.Zero, at = stretch.From;
        foreach (var (from, to) in Reasons().OrderBy(reason => reason.From))
        {
            if (to <= at) continue;
            if (from >= stretch.To) break;
            if (from > at) sum += from - at;
            at = to;
        }
        return stretch.To > at ? sum + (stretch.To - at) : sum;
    }

    private List<(TimeSpan From, TimeSpan To)> Reasons()
    {
        lock (_lock)
            return [.. _away.GetValueOrDefault(Index, []), .. apis.Select(api => _away.GetValueOrDefault(api, [])).Aggregate(Common)];
    }

    private static List<(TimeSpan From, TimeSpan To)> Common(List<(TimeSpan From, TimeSpan To)> some, List<(TimeSpan From, TimeSpan To)> others) =>
        [.. from one in some
            from other in others
            let common = (From: one.From > other.From ? one.From : other.From, To: one.To < other.To ? one.To : other.To)
            where common.From < common.To
            select common];
}
