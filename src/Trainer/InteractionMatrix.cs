namespace BeeFormer.Streaming.Trainer;

/// <summary>Users × items, sparse, row-compressed: row u holds the items of <see cref="ItemsOf"/>, ascending, with their weights. A pair occurs once.</summary>
public sealed class InteractionMatrix
{
    private readonly int[] _rowStart;
    private readonly int[] _columns;
    private readonly float[] _weights;

    private InteractionMatrix(int users, int items, int[] rowStart, int[] columns, float[] weights)
    {
        Users = users;
        Items = items;
        _rowStart = rowStart;
        _columns = columns;
        _weights = weights;
    }

    public int Users { get; }
    public int Items { get; }
    /// <summary>Number of distinct pairs.</summary>
    public int Count => _columns.Length;

    public ReadOnlySpan<int> ItemsOf(int user) => _columns.AsSpan(_rowStart[user].._rowStart[user + 1]);
    public ReadOnlySpan<float> WeightsOf(int user) => _weights.AsSpan(_rowStart[user].._rowStart[user + 1]);

    /// <summary>A pair that occurs several times weighs what its strongest interaction weighs: a view after a purchase takes nothing away.</summary>
    /// <param name="weight">Null: every pair weighs 1, as in the paper.</param>
    public static InteractionMatrix FromPairs(int users, int items, ReadOnlySpan<int> user, ReadOnlySpan<int> item, ReadOnlySpan<float> weight = default)
    {
        if (user.Length != item.Length || (!weight.IsEmpty && weight.Length != user.Length))
            throw new ArgumentException($"Pairs need columns of one length; got {user.Length} users, {item.Length} items, {weight.Length} weights.");
        var keys = new long[user.Length];
        var values = new float[user.Length];
        for (int n = 0; n < keys.Length; n++)
        {
            if ((uint)user[n] >= (uint)users || (uint)item[n] >= (uint)items)
                throw new ArgumentException($"Pair {n} is (user {user[n]}, item {item[n]}); expected users below {users} and items below {items}.");
            keys[n] = ((long)user[n] << 32) | (uint)item[n];
            values[n] = weight.IsEmpty ? 1 : weight[n];
        }
        Array.Sort(keys, values);

        var rowStart = new int[users + 1];
        var columns = new List<int>(keys.Length);
        var weights = new List<float>(keys.Length);
        for (int n = 0; n < keys.Length; n++)
        {
            if (n > 0 && keys[n] == keys[n - 1])
            {
                weights[^1] = Math.Max(weights[^1], values[n]);
                continue;
            }
            columns.Add((int)(uint)keys[n]);
            weights.Add(values[n]);
            rowStart[(int)(keys[n] >> 32) + 1]++;
        }
        for (int u = 0; u < users; u++) rowStart[u + 1] += rowStart[u];
        return new InteractionMatrix(users, items, rowStart, [.. columns], [.. weights]);
    }

    /// <summary>Items with at least one interaction, ascending.</summary>
    public int[] TouchedItems()
    {
        var touched = new bool[Items];
        foreach (int item in _columns) touched[item] = true;
        return [.. Enumerable.Range(0, Items).Where(item => touched[item])];
    }

    /// <summary>Number of users of each item.</summary>
    public int[] UsersPerItem()
    {
        var counts = new int[Items];
        foreach (int item in _columns) counts[item]++;
        return counts;
    }
}
