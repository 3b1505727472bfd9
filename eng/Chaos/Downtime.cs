namespace BeeFormer.Streaming.Chaos;

/// <summary>
/// When nothing can answer questions, by what was done: Qdrant is away, or every Api is. An Api is away while it is paused, from kill -9 until it is started again, and while it is not ready after that, as long
/// as the store of objects, where its model lies, is away. Redis is no excuse: without profiles the answers are those for unknown users.
/// </summary>
/// <param name="apis">Names of all.</param>
internal sealed class Downtime(IReadOnlyList<string> apis)
{
    public const string Index = "qdrant", Objects = "s3";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<(TimeSpan From, TimeSpan To)>> _away = [];
    private readonly Dictionary<string, List<(TimeSpan From, TimeSpan To)>> _starting = [];

    public void Away(string what, TimeSpan from, TimeSpan to) => Add(_away, what, from, to);

    public void Starting(string api, TimeSpan from, TimeSpan to) => Add(_starting, api, from, to);

    private void Add(Dictionary<string, List<(TimeSpan, TimeSpan)>> spans, string what, TimeSpan from, TimeSpan to)
    {
        lock (_lock)
        {
            if (!spans.TryGetValue(what, out var all)) spans[what] = all = [];
            all.Add((from, to));
        }
    }

    /// <returns>The longest piece of a stretch without an answer in which there was no reason for it.</returns>
    public TimeSpan LongestWithout((TimeSpan From, TimeSpan To) stretch)
    {
        TimeSpan longest = TimeSpan.Zero, at = stretch.From;
        foreach (var (from, to) in Reasons().OrderBy(reason => reason.From))
        {
            if (to <= at) continue;
            if (from >= stretch.To) break;
            if (from - at > longest) longest = from - at;
            at = to;
        }
        return stretch.To - at > longest ? stretch.To - at : longest;
    }

    private List<(TimeSpan From, TimeSpan To)> Reasons()
    {
        lock (_lock)
        {
            var objects = _away.GetValueOrDefault(Objects, []);
            var everyApi = apis.Select(api => _away.GetValueOrDefault(api, []).Concat(Common(_starting.GetValueOrDefault(api, []), objects)).ToList()).Aggregate(Common);
            return [.. _away.GetValueOrDefault(Index, []), .. everyApi];
        }
    }

    private static List<(TimeSpan From, TimeSpan To)> Common(List<(TimeSpan From, TimeSpan To)> some, List<(TimeSpan From, TimeSpan To)> others) =>
        [.. from one in some
            from other in others
            let common = (From: one.From > other.From ? one.From : other.From, To: one.To < other.To ? one.To : other.To)
            where common.From < common.To
            select common];
}
