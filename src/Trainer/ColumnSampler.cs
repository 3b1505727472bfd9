namespace BeeFormer.Streaming.Trainer;

/// <summary>What one step sees: the items whose texts are encoded, and the interactions of some users with just those items.</summary>
/// <param name="Columns">Item indexes.</param>
/// <param name="X">[Rows, Columns.Length], row-major.</param>
internal sealed record TrainingBatch(int[] Columns, int Rows, float[] X);

/// <summary>Draws batches from a matrix; the same seed draws the same batches.</summary>
internal sealed class ColumnSampler(InteractionMatrix interactions, int seed)
{
    /// <summary>Rows of one step at most: bounds X (16,384 × 256 float32 are 16 MB) whatever the number of users.</summary>
    public const int MaxRows = 16_384;

    private readonly Random _random = new(seed);
    private readonly int[] _items = interactions.TouchedItems();
    private readonly int[] _columnOf = new int[interactions.Items];

    /// <summary>
    /// The way that teaches most per encoded item: draw m items, take every user who touched at least two of them (one alone says nothing about which items go together).
    /// </summary>
    public TrainingBatch Items(int m)
    {
        m = Math.Min(m, _items.Length);
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
        return Dense(users, columns);
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
        return Dense(users.ToArray(), columns);
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

    private TrainingBatch Dense(IReadOnlyList<int> users, int[] columns)
    {
        var x = new float[users.Count * columns.Length];
        for (int row = 0; row < users.Count; row++)
        {
            ReadOnlySpan<int> items = interactions.ItemsOf(users[row]);
            ReadOnlySpan<float> weights = interactions.WeightsOf(users[row]);
            for (int n = 0; n < items.Length; n++)
                if (_columnOf[items[n]] is > 0 and int column) x[row * columns.Length + column - 1] = weights[n];
        }
        return new TrainingBatch(columns, users.Count, x);
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
