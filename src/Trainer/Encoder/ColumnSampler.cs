namespace BeeFormer.Streaming.Trainer;

/// <summary>What one step sees: the items whose texts are encoded, and the interactions of some users with just those items.</summary>
/// <param name="Columns">Item indexes.</param>
/// <param name="RowStart">X is sparse: row r holds <c>Weight[n]</c> in column <c>Column[n]</c> for n from <c>RowStart[r]</c> to <c>RowStart[r + 1]</c> (not included).</param>
internal sealed record TrainingBatch(int[] Columns, int[] RowStart, int[] Column, float[] Weight)
{
    public int Rows => RowStart.Length - 1;

    /// <summary>[Rows, Columns.Length], row-major.</summary>
    public float[] X => Dense(0, Rows);

    /// <summary>Rows of X: [count, Columns.Length], row-major.</summary>
    public float[] Dense(int first, int count)
    {
        var x = new float[checked(count * Columns.Length)];
        for (int row = 0; row < count; row++)
            for (int n = RowStart[first + row]; n < RowStart[first + row + 1]; n++) x[row * Columns.Length + Column[n]] = Weight[n];
        return x;
    }
}

/// <summary>Draws batches from a matrix; the same seed draws the same batches.</summary>
internal sealed class ColumnSampler(InteractionMatrix interactions, int seed)
{
    /// <summary>Rows of one step at most: bounds its time whatever the number of users.</summary>
    public const int MaxRows = 16_384;

    private readonly Random _random = new(seed);
    private readonly int[] _items = interactions.TouchedItems();
    private readonly int[] _columnOf = new int[interactions.Items];

    /// <summary>
    /// The way that teaches most per encoded item: draw m items, take every user who touched at least two of them (one alone says nothing about which items go together).
    /// </summary>
    /// <param name="m">Two are drawn at least: one alone teaches nothing.</param>
    public TrainingBatch Items(int m)
    {
        m = Math.Min(Math.Max(2, m), _items.Length);
        DrawToFront(_items, m);
        int[] columns = _items[..m];
        Array.Sort(columns);
        MarkColumns(columns);

        var users = new List<int>();
        for (int user = 0; user < interactions.Users; user++)
        {
            int touched = 0;
            foreach (int item in interactions.ItemsOf(user))
                if (_columnOf[item] > 0 && ++touched == 2) break;
            if (touched == 2) users.Add(user);
        }
        if (users.Count > MaxRows)
        {
            int[] drawn = [.. users];
            DrawToFront(drawn, MaxRows);
            users = [.. drawn[..MaxRows]];
        }
        return Sparse(users, columns);
    }

    /// <summary>
    /// The published way: some users, all their items (ascending), then negatives drawn uniformly without replacement from the rest of the catalogue, at least one
    /// where there is any, up to <paramref name="maxOutput"/> columns. Positives are never left out.
    /// </summary>
    public TrainingBatch Users(ReadOnlySpan<int> users, int maxOutput)
    {
        var isPositive = new bool[interactions.Items];
        int positives = 0;
        foreach (int user in users)
            foreach (int item in interactions.ItemsOf(user))
                if (!isPositive[item])
                {
                    isPositive[item] = true;
                    positives++;
                }
        int[] columns = [.. Enumerable.Range(0, interactions.Items).Where(item => isPositive[item])];
        int[] rest = [.. Enumerable.Range(0, interactions.Items).Where(item => !isPositive[item])];
        int negatives = Math.Min(rest.Length, Math.Max(1, maxOutput - positives));
        DrawToFront(rest, negatives);
        columns = [.. columns, .. rest[..negatives]];
        MarkColumns(columns);
        return Sparse(users.ToArray(), columns);
    }

    /// <summary>All users with an interaction in a new order, cut into batches.</summary>
    public IEnumerable<int[]> UserBatches(int batchSize)
    {
        int[] users = [.. Enumerable.Range(0, interactions.Users).Where(user => !interactions.ItemsOf(user).IsEmpty)];
        DrawToFront(users, users.Length);
        return users.Chunk(batchSize);
    }

    private void MarkColumns(int[] columns)
    {
        Array.Clear(_columnOf);
        for (int column = 0; column < columns.Length; column++) _columnOf[columns[column]] = column + 1;
    }

    private TrainingBatch Sparse(IReadOnlyList<int> users, int[] columns)
    {
        var (column, weight, start) = (new List<int>(), new List<float>(), new int[users.Count + 1]);
        for (int row = 0; row < users.Count; row++)
        {
            ReadOnlySpan<int> items = interactions.ItemsOf(users[row]);
            ReadOnlySpan<float> weights = interactions.WeightsOf(users[row]);
            for (int n = 0; n < items.Length; n++)
            {
                if (_columnOf[items[n]] == 0) continue;
                column.Add(_columnOf[items[n]] - 1);
                weight.Add(weights[n]);
            }
            start[row + 1] = column.Count;
        }
        return new TrainingBatch(columns, start, [.. column], [.. weight]);
    }

    /// <summary>Fisher and Yates, stopped after <paramref name="count"/> draws.</summary>
    private void DrawToFront(int[] values, int count)
    {
        for (int n = 0; n < count; n++)
        {
            int other = _random.Next(n, values.Length);
            (values[n], values[other]) = (values[other], values[n]);
        }
    }
}
