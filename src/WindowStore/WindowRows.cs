namespace BeeFormer.Streaming.WindowStore;

/// <summary>Rows of a window in the making as columns; user, item and type are codes.</summary>
internal sealed record WindowRows(long[] TimestampMs, int[] User, int[] Item, int[] Type)
{
    public int Count => User.Length;

    public static WindowRows Of(int count) => new(new long[count], new int[count], new int[count], new int[count]);

    public WindowRows Last(int n) => n >= Count ? this : new(TimestampMs[^n..], User[^n..], Item[^n..], Type[^n..]);

    /// <param name="keep">Null: all.</param>
    public WindowRows Where(bool[]? keep) => keep is null ? this : Pick([.. Enumerable.Range(0, Count).Where(n => keep[n])]);

    /// <summary>
    /// DuckDB orders text by UTF-8 bytes, .NET ids by UTF-16 units; they disagree only where characters beyond the basic plane meet U+E000 to U+FFFF.
    /// In that rare case dictionaries and rows are put into .NET's order.
    /// </summary>
    public WindowRows InOrdinalOrder(List<string> users, List<string> items)
    {
        int[]? user = Sort(users), item = Sort(items);
        if (user is null && item is null) return this;
        var renumbered = this with { User = user is null ? User : [.. User.Select(code => user[code])], Item = item is null ? Item : [.. Item.Select(code => item[code])] };
        return renumbered.Pick([.. Enumerable.Range(0, Count).OrderBy(n => renumbered.TimestampMs[n]).ThenBy(n => renumbered.User[n]).ThenBy(n => renumbered.Item[n])]);
    }

    /// <returns>New code of each old one; null when the ids were in order.</returns>
    private static int[]? Sort(List<string> ids)
    {
        bool ordered = true;
        for (int n = 1; n < ids.Count && ordered; n++) ordered = string.CompareOrdinal(ids[n - 1], ids[n]) < 0;
        if (ordered) return null;
        int[] old = [.. Enumerable.Range(0, ids.Count)];
        string[] sorted = [.. ids];
        Array.Sort(sorted, old, StringComparer.Ordinal);
        var code = new int[ids.Count];
        for (int n = 0; n < old.Length; n++)
        {
            code[old[n]] = n;
            ids[n] = sorted[n];
        }
        return code;
    }

    private WindowRows Pick(int[] rows) => new(
        [.. rows.Select(n => TimestampMs[n])], [.. rows.Select(n => User[n])], [.. rows.Select(n => Item[n])], [.. rows.Select(n => Type[n])]);
}
