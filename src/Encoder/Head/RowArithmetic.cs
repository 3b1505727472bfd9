using System.Numerics;
using System.Runtime.InteropServices;

namespace BeeFormer.Streaming.Encoder;

/// <summary>Arithmetic on float rows. The order of additions is fixed, so a row's result does not depend on the batch it is computed in.</summary>
public static class RowArithmetic
{
    /// <summary>sum += weight · row.</summary>
    public static void AddScaled(ReadOnlySpan<float> row, float weight, Span<float> sum)
    {
        if (row.Length != sum.Length) throw new ArgumentException($"The row has {row.Length} values, the sum {sum.Length}.", nameof(row));
        var rowVectors = MemoryMarshal.Cast<float, Vector<float>>(row);
        var sumVectors = MemoryMarshal.Cast<float, Vector<float>>(sum);
        var weights = new Vector<float>(weight);
        for (int i = 0; i < rowVectors.Length; i++) sumVectors[i] = Vector.FusedMultiplyAdd(rowVectors[i], weights, sumVectors[i]);
        for (int i = rowVectors.Length * Vector<float>.Count; i < row.Length; i++) sum[i] = MathF.FusedMultiplyAdd(row[i], weight, sum[i]);
    }

    public static float Dot(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        if (left.Length != right.Length) throw new ArgumentException($"Rows of {left.Length} and {right.Length} values.", nameof(right));
        var leftVectors = MemoryMarshal.Cast<float, Vector<float>>(left);
        var rightVectors = MemoryMarshal.Cast<float, Vector<float>>(right);
        var sums = Vector<float>.Zero;
        for (int i = 0; i < leftVectors.Length; i++) sums = Vector.FusedMultiplyAdd(leftVectors[i], rightVectors[i], sums);
        float sum = Vector.Sum(sums);
        for (int i = leftVectors.Length * Vector<float>.Count; i < left.Length; i++) sum = MathF.FusedMultiplyAdd(left[i], right[i], sum);
        return sum;
    }

    public static void Scale(Span<float> row, float factor)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(row);
        for (int i = 0; i < vectors.Length; i++) vectors[i] *= factor;
        for (int i = vectors.Length * Vector<float>.Count; i < row.Length; i++) row[i] *= factor;
    }

    /// <summary>Negative values become 0.</summary>
    public static void Relu(Span<float> row)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(row);
        for (int i = 0; i < vectors.Length; i++) vectors[i] = Vector.Max(vectors[i], Vector<float>.Zero);
        for (int i = vectors.Length * Vector<float>.Count; i < row.Length; i++) row[i] = Math.Max(row[i], 0);
    }

    /// <summary>Scales the row to length 1 and returns the length it had; a row of zeros stays as it is.</summary>
    public static float Normalize(Span<float> row)
    {
        float length = MathF.Sqrt(Dot(row, row));
        if (length > 0) Scale(row, 1 / length);
        return length;
    }
}
