using System.Globalization;
using System.Numerics.Tensors;
using DuckDB.NET.Data;

/// <summary>The simplest ways to the same answer: one thread over float vectors in memory, and a database's own function.</summary>
internal sealed class PlainScan(Catalogue catalogue)
{
    private readonly float[] flat = Flat(catalogue);

    public int[] Search(float[] query, int k)
    {
        var best = new PriorityQueue<int, float>();
        int dimension = catalogue.Dimension;
        for (int n = 0; n < catalogue.Items; n++)
        {
            float score = TensorPrimitives.Dot(query, flat.AsSpan(n * dimension, dimension));
            if (best.Count < k) best.Enqueue(n, score);
            else if (best.TryPeek(out _, out float least) && score > least) best.EnqueueDequeue(n, score);
        }
        return [.. best.UnorderedItems.Select(item => item.Element)];
    }

    /// <summary>In double: what recall is measured against.</summary>
    public static HashSet<int> Exact(Catalogue catalogue, float[] query, int k)
    {
        var scores = new double[catalogue.Items];
        Parallel.For(0, catalogue.Items, n =>
        {
            double score = 0;
            float[] vector = catalogue.Vectors[n];
            for (int d = 0; d < vector.Length; d++) score += (double)vector[d] * query[d];
            scores[n] = -score;
        });
        int[] rows = [.. Enumerable.Range(0, catalogue.Items)];
        Array.Sort(scores, rows);
        return [.. rows.Take(k)];
    }

    private static float[] Flat(Catalogue catalogue)
    {
        var flat = GC.AllocateUninitializedArray<float>(checked(catalogue.Items * catalogue.Dimension));
        for (int n = 0; n < catalogue.Items; n++) catalogue.Vectors[n].CopyTo(flat, n * catalogue.Dimension);
        return flat;
    }
}

internal sealed class DuckDbScan : IDisposable
{
    private readonly DuckDBConnection connection = new("DataSource=:memory:");
    private readonly int dimension;

    public DuckDbScan(Catalogue catalogue)
    {
        dimension = catalogue.Dimension;
        connection.Open();
        Execute($"CREATE TABLE items (id INTEGER, vector FLOAT[{dimension}])");
        using var appender = connection.CreateAppender("items");
        for (int n = 0; n < catalogue.Items; n++) appender.CreateRow().AppendValue(n).AppendValue(catalogue.Vectors[n]).EndRow();
    }

    public int[] Search(float[] query, int k)
    {
        using var command = connection.CreateCommand();
        string literal = string.Join(',', query.Select(number => number.ToString("R", CultureInfo.InvariantCulture)));
        command.CommandText = $"SELECT id FROM items ORDER BY array_inner_product(vector, [{literal}]::FLOAT[{dimension}]) DESC LIMIT {k}";
        using var reader = command.ExecuteReader();
        var found = new List<int>();
        while (reader.Read()) found.Add(reader.GetInt32(0));
        return [.. found];
    }

    public void Dispose() => connection.Dispose();

    private void Execute(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
