namespace BeeFormer.Streaming.Encoder;

/// <summary>Sparse float rows: row r holds <c>Value[n]</c> in column <c>Column[n]</c> for n from <c>Start[r]</c> to <c>Start[r + 1]</c> (not included), columns ascending.</summary>
public sealed record SparseRows(int[] Start, int[] Column, float[] Value)
{
    public int Count => Start.Length - 1;
    public ReadOnlySpan<int> Columns(int row) => Column.AsSpan(Start[row], Start[row + 1] - Start[row]);
    public ReadOnlySpan<float> Values(int row) => Value.AsSpan(Start[row], Start[row + 1] - Start[row]);
}
