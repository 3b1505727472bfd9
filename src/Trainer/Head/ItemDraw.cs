namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// The items of one step and the users who touched two or more of them, as a sparse matrix X [users, m] stored both ways:
/// by user (<c>RowStart</c>, <c>Column</c>, <c>RowWeight</c>) and by column (<c>ColumnStart</c>, <c>Row</c>, <c>ColumnWeight</c>).
/// </summary>
internal sealed record ItemDraw(int[] Items, int Users, int[] RowStart, int[] Column, float[] RowWeight, int[] ColumnStart, int[] Row, float[] ColumnWeight);

/// <summary>
/// Draws items uniformly without replacement from those that somebody touched. Items that nobody has touched yet take no part: as negatives they would be taught to match nobody.
/// </summary>
internal sealed class ItemSampler
{
    private readonly InteractionColumns _interactions;
    private readonly int[] _items;
    private readonly int[] _itemsOfUser; // scratch: items of the draw that each user touched
    private readonly int[] _rowOfUser;   // scratch
    private readonly int _maxUsers;
    private readonly Random _random;

    public ItemSampler(InteractionColumns interactions, int maxUsers, int seed)
    {
        _interactions = interactions;
        _items = [.. Enumerable.Range(0, interactions.Items).Where(item => interactions.Start[item + 1] > interactions.Start[item])];
        _itemsOfUser = new int[interactions.Users];
        _rowOfUser = new int[interactions.Users];
        _maxUsers = maxUsers;
        _random = new Random(seed);
    }

    /// <summary>Items that can be drawn.</summary>
    public int Touched => _items.Length;

    /// <param name="count">Two are drawn at least: one alone teaches nothing.</param>
    public ItemDraw Draw(int count)
    {
        count = Math.Min(Math.Max(2, count), _items.Length);
        // The first steps of a Fisher-Yates shuffle.
        for (int i = 0; i < count; i++)
        {
            int other = _random.Next(i, _items.Length);
            (_items[i], _items[other]) = (_items[other], _items[i]);
        }
        int[] items = _items[..count];
        Array.Sort(items);
        return Of(items);
    }

    internal ItemDraw Of(int[] items)
    {
        Array.Clear(_itemsOfUser);
        foreach (int item in items)
            foreach (int user in UsersOf(item)) _itemsOfUser[user]++;
        int[] users = ChooseUsers();
        Array.Fill(_rowOfUser, -1);
        for (int row = 0; row < users.Length; row++) _rowOfUser[users[row]] = row;

        var rowStart = new int[users.Length + 1];
        for (int row = 0; row < users.Length; row++) rowStart[row + 1] = rowStart[row] + _itemsOfUser[users[row]];
        int total = rowStart[^1];
        var next = rowStart[..^1];
        var (column, rowWeight) = (new int[total], new float[total]);
        var (columnStart, rows, columnWeight) = (new int[items.Length + 1], new int[total], new float[total]);
        int count = 0;
        for (int j = 0; j < items.Length; j++)
        {
            for (int n = _interactions.Start[items[j]]; n < _interactions.Start[items[j] + 1]; n++)
            {
                int row = _rowOfUser[_interactions.User[n]];
                if (row < 0) continue;
                (column[next[row]], rowWeight[next[row]++]) = (j, _interactions.Weight[n]);
                (rows[count], columnWeight[count++]) = (row, _interactions.Weight[n]);
            }
            columnStart[j + 1] = count;
        }
        return new ItemDraw(items, users.Length, rowStart, column, rowWeight, columnStart, rows, columnWeight);
    }

    private ReadOnlySpan<int> UsersOf(int item) => _interactions.User.AsSpan(_interactions.Start[item].._interactions.Start[item + 1]);

    private int[] ChooseUsers()
    {
        var users = new List<int>();
        for (int user = 0; user < _itemsOfUser.Length; user++)
            if (_itemsOfUser[user] >= 2) users.Add(user);
        if (users.Count <= _maxUsers) return [.. users];
        for (int i = 0; i < _maxUsers; i++)
        {
            int other = _random.Next(i, users.Count);
            (users[i], users[other]) = (users[other], users[i]);
        }
        users.RemoveRange(_maxUsers, users.Count - _maxUsers);
        users.Sort();
        return [.. users];
    }
}
