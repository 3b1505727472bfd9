using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Trainer;

/// <summary>A window cut in time: what models learn from and recommend from, and what the users did afterwards.</summary>
/// <param name="History">Users × catalogue, before the split.</param>
/// <param name="SplitMs">Event time of the first interaction held out, UTC milliseconds.</param>
/// <param name="Users">Users with a history who afterwards chose something new to them, ascending: those who are evaluated.</param>
/// <param name="Relevant">What each of them chose, as far as it was new to them.</param>
/// <param name="Cold">For each item of the catalogue: nobody touched it before the split.</param>
internal sealed record WindowSplit(InteractionMatrix History, long SplitMs, int[] Users, IReadOnlySet<int>[] Relevant, bool[] Cold)
{
    /// <param name="catalogueIndex">For each item of the window its place in the catalogue; −1: not described, left out.</param>
    /// <param name="problem">Why the window cannot be split; null when it can.</param>
    /// <param name="older">So many rows at the begin belong to the history whatever the share.</param>
    public static WindowSplit? Of(InteractionWindow window, int[] catalogueIndex, int catalogue, double holdoutShare, out string? problem, int older = 0)
    {
        int[] known = [.. Enumerable.Range(0, window.Count).Where(n => catalogueIndex[window.Item[n]] >= 0)];
        int kept = known.Count(n => n < older);
        problem = known.Length == kept
            ? $"The window has {window.Count} interactions, none with a described item: there is nothing to learn."
            : null;
        if (problem is not null) return null;

        if (SplitAt(known[kept..], window.TimestampMs, holdoutShare) is not { } first)
        {
            problem = "All interactions of the window have the same time: no newest slice can be held out.";
            return null;
        }
        int[] before = known[..(kept + first)], after = known[(kept + first)..];
        var history = InteractionMatrix.FromPairs(window.Users.Count, catalogue,
            before.Select(n => window.User[n]).ToArray(), before.Select(n => catalogueIndex[window.Item[n]]).ToArray(), before.Select(n => window.Weight[n]).ToArray());
        int users = before.Select(n => window.User[n]).Distinct().Count(), items = history.TouchedItems().Length;
        if (users < 2 || items < 2)
        {
            problem = $"Before the held-out slice the window has {users} users and {items} items; at least two of each are needed to learn what goes together.";
            return null;
        }

        var cold = Enumerable.Repeat(true, catalogue).ToArray();
        foreach (int item in history.TouchedItems()) cold[item] = false;
        var chosen = new SortedDictionary<int, HashSet<int>>();
        foreach (int n in after)
        {
            int user = window.User[n], item = catalogueIndex[window.Item[n]];
            ReadOnlySpan<int> past = history.ItemsOf(user);
            if (past.IsEmpty || past.BinarySearch(item) >= 0) continue;
            if (!chosen.TryGetValue(user, out HashSet<int>? itemsOfUser)) chosen[user] = itemsOfUser = [];
            itemsOfUser.Add(item);
        }
        return new WindowSplit(history, window.TimestampMs[after[0]], [.. chosen.Keys], [.. chosen.Values], cold);
    }

    /// <summary>
    /// The same question about an old time: the older half of what was learned from, split in itself. Both models have seen its answers; a model that now foretells them worse has forgotten.
    /// </summary>
    /// <param name="recent">The split of the whole window.</param>
    /// <returns>Null when the old half cannot be split.</returns>
    public static WindowSplit? Old(InteractionWindow window, int[] catalogueIndex, WindowSplit recent, double holdoutShare)
    {
        return Of(First(window, LearnedFrom(window, recent) / 2), catalogueIndex, recent.Cold.Length, holdoutShare, out _);
    }

    /// <summary>What may be learned from, split once more: the newest of it is kept back to look for the best step, before the gate asks about what is newer still.</summary>
    /// <param name="recent">The split of the whole window.</param>
    /// <returns>Null when it cannot be split.</returns>
    public static WindowSplit? Validation(InteractionWindow window, int[] catalogueIndex, WindowSplit recent, double share, int older) =>
        Of(First(window, LearnedFrom(window, recent)), catalogueIndex, recent.Cold.Length, share, out _, older);

    private static int LearnedFrom(InteractionWindow window, WindowSplit recent) => Array.FindIndex(window.TimestampMs, time => time >= recent.SplitMs);

    private static InteractionWindow First(InteractionWindow window, int rows) =>
        window with { User = window.User[..rows], Item = window.Item[..rows], Weight = window.Weight[..rows], TimestampMs = window.TimestampMs[..rows] };

    /// <summary>First held-out entry. Interactions of one moment stay on one side: the split moves to the moment's begin, or, where that would leave less than half to learn from, to its end.</summary>
    private static int? SplitAt(int[] known, long[] timestampMs, double holdoutShare)
    {
        int wanted = Math.Clamp((int)(known.Length * (1 - holdoutShare)), 0, known.Length - 1);
        long moment = timestampMs[known[wanted]];
        int begin = wanted, end = wanted;
        while (begin > 0 && timestampMs[known[begin - 1]] == moment) begin--;
        while (end < known.Length && timestampMs[known[end]] == moment) end++;
        if (begin >= (known.Length + 1) / 2) return begin;
        if (end < known.Length) return end;
        return begin > 0 ? begin : null;
    }
}
