namespace BeeFormer.Streaming.Encoder;

/// <summary>Row-major float32 matrix [rows, dimension].</summary>
public sealed record EmbeddingMatrix(float[] Values, int Dimension)
{
    public int Rows => Dimension == 0 ? 0 : Values.Length / Dimension;
    public Span<float> Row(int row) => Values.AsSpan(row * Dimension, Dimension);
    public static EmbeddingMatrix Zeros(int rows, int dimension) => new(new float[(long)rows * dimension], dimension);
}
