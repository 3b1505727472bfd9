using System.Runtime.Intrinsics;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>Checks a vector and gives it length 1.</summary>
internal static class UnitVector
{
    public static float[] Of(ItemId item, ReadOnlySpan<float> vector, int dimension) => TryOf(vector, dimension) ?? throw Problem($"The vector of item {item}", vector, dimension);

    /// <param name="what">Names the vector in the refusal.</param>
    public static float[] Of(string what, ReadOnlySpan<float> vector, int dimension) => TryOf(vector, dimension) ?? throw Problem(what, vector, dimension);

    private static float[]? TryOf(ReadOnlySpan<float> vector, int dimension)
    {
        double squares = vector.Length == dimension ? ExactProduct.Of(vector, vector) : 0;
        if (squares == 0 || !double.IsFinite(squares)) return null; // squares of finite floats add up to a finite double
        double scale = 1 / Math.Sqrt(squares);
        var unit = new float[dimension];
        var scales = Vector512.Create(scale);
        int d = 0;
        for (; d <= dimension - Vector512<float>.Count; d += Vector512<float>.Count)
        {
            var (lower, upper) = Vector512.Widen(Vector512.Create(vector[d..]));
            Vector512.Narrow(lower * scales, upper * scales).CopyTo(unit.AsSpan(d));
        }
        for (; d < dimension; d++) unit[d] = (float)(vector[d] * scale);
        return unit;
    }

    private static ArgumentException Problem(string what, ReadOnlySpan<float> vector, int dimension)
    {
        if (vector.Length != dimension) return new($"{what} has {vector.Length} numbers; the collection's dimension is {dimension}.");
        for (int d = 0; d < vector.Length; d++)
            if (!float.IsFinite(vector[d])) return new($"{what} has {vector[d]} at position {d}; expected finite numbers.");
        return new($"{what} is all zeros; expected a length above 0.");
    }
}
