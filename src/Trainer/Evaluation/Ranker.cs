using BeeFormer.Streaming.Encoder;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Scores items for a block of users: [users, candidates] float32 in the caller's dispose scope.</summary>
internal delegate Tensor Scorer(ReadOnlyMemory<int> users);

/// <summary>Best candidates of many users: a matrix product for each block of users, then selection of the first k without sorting the rest.</summary>
internal static class Ranker
{
    private const int UsersPerBlock = 256;
    private static readonly Scalar One = 1.ToScalar();
    internal static readonly Scalar MinusInfinity = float.NegativeInfinity.ToScalar();

    /// <summary>For each user the first <paramref name="k"/> item indexes, best first; fewer where a user has seen too many. Equal scores keep no order that depends on anything but the scores.</summary>
    /// <param name="candidates">Item index of each column that the scorer returns.</param>
    /// <param name="seen">Items that are not recommended again; null: any may be.</param>
    public static int[][] Top(int k, IReadOnlyList<int> users, int[] candidates, Scorer score, InteractionMatrix? seen, CancellationToken cancellationToken = default)
    {
        var rankings = new int[users.Count][];
        if (candidates.Length == 0)
        {
            Array.Fill(rankings, []);
            return rankings;
        }
        Dictionary<int, int> columnOf = candidates.Select((item, column) => (item, column)).ToDictionary(pair => pair.item, pair => pair.column);
        int kept = Math.Min(k, candidates.Length);
        int done = 0;
        foreach (int[] block in users.Chunk(UsersPerBlock))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var noGrad = no_grad();
            using var scope = NewDisposeScope();
            Tensor scores = score(block);                                   // [block, candidates]
            if (seen is not null) scores = scores.masked_fill(Seen(block, columnOf, seen, candidates.Length), MinusInfinity);
            (Tensor values, Tensor indexes) = scores.topk(kept, 1);         // [block, kept] each
            float[] value = values.data<float>().ToArray();
            long[] column = indexes.data<long>().ToArray();
            for (int row = 0; row < block.Length; row++)
            {
                var ranking = new List<int>(kept);
                for (int n = row * kept; n < (row + 1) * kept && !float.IsNegativeInfinity(value[n]); n++) ranking.Add(candidates[column[n]]);
                rankings[done++] = [.. ranking];
            }
        }
        return rankings;
    }

    /// <summary>Σ weight · a over the user's items, times a of each candidate: how the index answers.</summary>
    /// <param name="vectors">One row an item, each of length 1.</param>
    public static Scorer ByVectors(Tensor vectors, InteractionMatrix history, int[] candidates)
    {
        Tensor candidateVectors = vectors.index_select(0, tensor(candidates.Select(item => (long)item).ToArray())).t();     // [d, candidates]
        return users => UserVectors(vectors, history, users.Span).mm(candidateVectors);
    }

    /// <summary>[items, d] with rows of length 1, from any embeddings.</summary>
    public static Tensor UnitRows(EmbeddingMatrix embeddings)
    {
        using var scope = NewDisposeScope();
        Tensor rows = tensor(embeddings.Values, embeddings.Rows, embeddings.Dimension);
        return nn.functional.normalize(rows, p: 2, dim: 1, eps: 1e-12).MoveToOuterDisposeScope();
    }

    private static Tensor UserVectors(Tensor vectors, InteractionMatrix history, ReadOnlySpan<int> users)
    {
        var items = new List<long>();
        var rows = new List<long>();
        var weights = new List<float>();
        for (int row = 0; row < users.Length; row++)
        {
            foreach (int item in history.ItemsOf(users[row]))
            {
                items.Add(item);
                rows.Add(row);
            }
            weights.AddRange(history.WeightsOf(users[row]));
        }
        if (items.Count == 0) return zeros(users.Length, vectors.size(1));
        Tensor touched = vectors.index_select(0, tensor(items.ToArray())) * tensor(weights.ToArray()).unsqueeze(1);     // [touched, d]
        return zeros(users.Length, vectors.size(1)).index_add(0, tensor(rows.ToArray()), touched, One);                 // [users, d]
    }

    private static Tensor Seen(ReadOnlySpan<int> users, Dictionary<int, int> columnOf, InteractionMatrix seen, int columns)
    {
        var mask = new bool[users.Length * columns];
        for (int row = 0; row < users.Length; row++)
            foreach (int item in seen.ItemsOf(users[row]))
                if (columnOf.TryGetValue(item, out int column)) mask[row * columns + column] = true;
        return tensor(mask, users.Length, columns);
    }
}
