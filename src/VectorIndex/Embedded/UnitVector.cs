namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>Checks a vector and gives it length 1.</summary>
internal static class UnitVector
{
    /// <param name="what">Names the vector in the refusal.</param>
    public static float[] Of(string what, ReadOnlySpan<float> vector, int dimension)
    {
        if (vector.Length != dimension) throw new ArgumentException($"{what} has {vector.Length} numbers; the collection's dimension is {dimension}.");
        double squares = 0;
        for (int d = 0; d < vector.Length; d++)
        {
            if (!float.IsFinite(vector[d])) throw new ArgumentException($"{what} has {vector[d]} at position {d}; expected finite numbers.");
            squares += (double)vector[d] * vector[d];
        }
        if (squares == 0) throw new ArgumentException($"{what} is all zeros; expected a length above 0.");
        double scale = 1 / Math.Sqrt(squares);
        var unit = new float[dimension];
        for (int d = 0; d < unit.Length; d++) unit[d] = (float)(vector[d] * scale);
        return unit;
    }
}
