namespace BeeFormer.Streaming.WindowStore;

/// <summary>
/// Leaves out users with too few distinct items and items with too few distinct users, again and again until no one is short:
/// the largest set in which every user and item has enough.
/// </summary>
internal static class EnoughInteractions
{
    /// <returns>Which rows stay; null when all do.</returns>
    public static bool[]? Keep(WindowRows rows, int users, int items, int minItemsPerUser, int minUsersPerItem)
    {
        if (minItemsPerUser <= 1 && minUsersPerItem <= 1) return null;
        long[] pairs = new long[rows.Count];
        for (int n = 0; n < pairs.Length; n++) pairs[n] = ((long)rows.User[n] << 32) | (uint)rows.Item[n];
        Array.Sort(pairs);
        pairs = Distinct(pairs);

        // Nodes: users first, then items. Neighbours of node v: neighbour[start[v] .. start[v + 1]].
        var degree = new int[users + items];
        foreach (long pair in pairs)
        {
            degree[(int)(pair >> 32)]++;
            degree[users + (int)pair]++;
        }
        var start = new int[users + items + 1];
        for (int v = 0; v < degree.Length; v++) start[v + 1] = start[v] + degree[v];
        var neighbour = new int[2 * pairs.Length];
        int[] next = start[..^1];
        foreach (long pair in pairs)
        {
            int user = (int)(pair >> 32), item = users + (int)pair;
            neighbour[next[user]++] = item;
            neighbour[next[item]++] = user;
        }

        var gone = new bool[degree.Length];
        var tooFew = new Stack<int>();
        int Needed(int v) => v < users ? minItemsPerUser : minUsersPerItem;
        for (int v = 0; v < degree.Length; v++)
            if (degree[v] < Needed(v))
            {
                gone[v] = true;
                tooFew.Push(v);
            }
        while (tooFew.TryPop(out int v))
            foreach (int w in neighbour.AsSpan(start[v]..start[v + 1]))
                if (!gone[w] && --degree[w] < Needed(w))
                {
                    gone[w] = true;
                    tooFew.Push(w);
                }

        var keep = new bool[rows.Count];
        for (int n = 0; n < keep.Length; n++) keep[n] = !gone[rows.User[n]] && !gone[users + rows.Item[n]];
        return keep;
    }

    private static long[] Distinct(long[] sorted)
    {
        int count = 0;
        for (int n = 0; n < sorted.Length; n++)
            if (n == 0 || sorted[n] != sorted[n - 1]) sorted[count++] = sorted[n];
        return sorted[..count];
    }
}
