namespace BeeFormer.Streaming.Encoder;

/// <summary>Sparse float rows: row r holds <c>Value[n]</c> in column <c>Column[n]</c> for n from <c>Start[r]</c> to <c>Start[r + 1]</c> (not included), columns ascending.</summary>
public sealed record SparseRows(int[] Start, int[] Column, float[] Value)
{
    public int Count => Start.Length - 1;

    /// <summary>The rows of all parts, one part after the other.</summary>
    public static SparseRows Join(IReadOnlyList<SparseRows> parts)
    {
        var start = new int[parts.Sum(part => part.Count) + 1];
        var column = new int[parts.Sum(part => part.Column.Length)];
        var value = new float[column.Length];
        int row = 0, before = 0;
        foreach (var part in parts)
        {
            for (int n = 0; n < part.Count; n++) start[++row] = before + part.Start[n + 1];
            part.Column.CopyTo(column, before);
            part.Value.CopyTo(value, before);
            before += part.Column.Length;
        }
        return new SparseRows(start, column, value);
    }

    public ReadOnlySpan<int> Columns(int row) => Column.AsSpan(Start[row], Start[row + 1] - Start[row]);
    public ReadOnlySpan<float> Values(int row) => Value.AsSpan(Start[row], Start[row + 1] - Start[row]);
}
