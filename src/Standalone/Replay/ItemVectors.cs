using BeeFormer.Streaming.Contracts;
using TorchSharp;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace BeeFormer.Streaming.Standalone.Replay;

/// <summary>The vectors of one model over the catalogue, in its order; an item without a vector is in no ranking.</summary>
internal sealed class ItemVectors : IDisposable
{
    private readonly float[]?[] rows;
    private readonly IReadOnlyDictionary<ItemId, int> places;
    private readonly Tensor? transposed; // [dimension, items]

    public ItemVectors(float[]?[] rows, IReadOnlyDictionary<ItemId, int> places)
    {
        this.rows = rows;
        this.places = places;
        Dimension = Array.Find(rows, row => row is not null)?.Length ?? 0;
        if (Dimension == 0) return;
        float[] values = new float[(long)rows.Length * Dimension];
        for (int n = 0; n < rows.Length; n++) rows[n]?.CopyTo(values, n * Dimension);
        using Tensor matrix = tensor(values, [rows.Length, Dimension]);
        transposed = matrix.t().contiguous();
    }

    public int Dimension { get; }
    public int Items => rows.Length;

    public ReadOnlyMemory<float>? VectorOf(ItemId id) => places.TryGetValue(id, out int place) && rows[place] is { } row ? row : (ReadOnlyMemory<float>?)null;

    /// <returns>Null: the item in this place has none.</returns>
    public float[]? RowOf(int place) => rows[place];

    /// <summary>Mean cosine of two of these items; null where fewer than two have a vector.</summary>
    public double? Likeness(ReadOnlySpan<int> some)
    {
        float[] sum = new float[Dimension];
        int count = 0;
        foreach (int place in some)
        {
            if (rows[place] is not { } row) continue;
            TensorPrimitives.Add(sum, row, sum);
            count++;
        }
        return count < 2 ? null : Math.Clamp((TensorPrimitives.Dot<float>(sum, sum) - count) / ((double)count * (count - 1)), -1, 1); // rows have length 1, but for rounding
    }

    /// <summary>Scores of all items for each query: [queries, items], row by row. Items without a vector have minus infinity.</summary>
    public float[] Score(IReadOnlyList<float[]> queries)
    {
        if (queries.Count == 0 || transposed is null) return [];
        float[] values = new float[queries.Count * Dimension];
        for (int n = 0; n < queries.Count; n++) queries[n].CopyTo(values, n * Dimension);
        float[] scores;
        using (no_grad())
        using (Tensor left = tensor(values, [queries.Count, Dimension]))
        using (Tensor product = left.mm(transposed)) scores = product.data<float>().ToArray();
        for (int item = 0; item < rows.Length; item++)
        {
            if (rows[item] is not null) continue;
            for (int query = 0; query < queries.Count; query++) scores[query * rows.Length + item] = float.NegativeInfinity;
        }
        return scores;
    }

    public void Dispose() => transposed?.Dispose();
}
