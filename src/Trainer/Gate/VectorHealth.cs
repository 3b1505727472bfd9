using System.Text.Json.Nodes;
using BeeFormer.Streaming.Encoder;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Whether item vectors still tell items apart, measured on at most 1,000 of them.</summary>
/// <param name="MeanCosine">Mean cosine between two different items: 1 when all point one way.</param>
/// <param name="EffectiveRank">e to the entropy of the singular values' shares: how many directions are really used.</param>
/// <param name="ShortestNorm">Of all vectors: one without length matches nothing.</param>
/// <param name="LongestNorm">Of all vectors.</param>
/// <param name="Finite">Every number of every vector is finite.</param>
internal sealed record VectorHealth(double MeanCosine, double EffectiveRank, double ShortestNorm, double LongestNorm, bool Finite)
{
    private const int Sample = 1000;
    /// <summary>Below this share of the longest, a vector has no length but rounding noise.</summary>
    private const double NoLength = 1e-6;

    private static readonly Scalar Smallest = 1e-12.ToScalar();

    public static VectorHealth Of(EmbeddingMatrix vectors, int seed)
    {
        foreach (float value in vectors.Values)
            if (!float.IsFinite(value)) return new VectorHealth(double.NaN, double.NaN, double.NaN, double.NaN, Finite: false);
        float shortest = float.PositiveInfinity, longest = 0;
        for (int row = 0; row < vectors.Rows; row++)
        {
            float norm = MathF.Sqrt(RowArithmetic.Dot(vectors.Row(row), vectors.Row(row)));
            (shortest, longest) = (Math.Min(shortest, norm), Math.Max(longest, norm));
        }
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        int[] rows = [.. Enumerable.Range(0, vectors.Rows)];
        new Random(seed).Shuffle(rows);
        Tensor unit = Ranker.UnitRows(vectors).index_select(0, tensor(rows.Take(Sample).Select(row => (long)row).ToArray()));      // [n, d]
        long n = unit.size(0);
        if (n < 2) return new VectorHealth(0, n, shortest, longest, Finite: true);
        // The sum over all ordered pairs is |Σ v|²; n of them pair an item with itself.
        Tensor sum = unit.sum(dim: 0L);
        double meanCosine = (sum.dot(sum).data<float>()[0] - n) / ((double)n * (n - 1));
        Tensor shares = linalg.svdvals(unit);
        shares = shares / shares.sum();
        double entropy = -(shares * shares.clamp_min(Smallest).log()).sum().data<float>()[0];
        return new VectorHealth(meanCosine, Math.Exp(entropy), shortest, longest, Finite: true);
    }

    /// <returns>Null when healthy, else what is wrong.</returns>
    public string? Problem(TrainingPolicy policy) => this switch
    {
        { Finite: false } => "its item vectors hold values that are not finite numbers",
        _ when !(ShortestNorm > NoLength * LongestNorm) => FormattableString.Invariant($"its item vectors have collapsed (the shortest has length {ShortestNorm:0.0e0}, the longest {LongestNorm:0.0e0})"),
        _ when MeanCosine > policy.MaxMeanCosine => FormattableString.Invariant($"its item vectors have collapsed (mean cosine {MeanCosine:0.000}, at most {policy.MaxMeanCosine:0.000} is allowed)"),
        _ when EffectiveRank < policy.MinEffectiveRank => FormattableString.Invariant($"its item vectors have collapsed (effective rank {EffectiveRank:0.0}, at least {policy.MinEffectiveRank:0.0} is needed)"),
        _ => null,
    };

    public JsonObject ToJson() => Finite
        ? new JsonObject { ["mean_cosine"] = MeanCosine, ["effective_rank"] = EffectiveRank, ["shortest_norm"] = ShortestNorm, ["longest_norm"] = LongestNorm, ["finite"] = true }
        : new JsonObject { ["finite"] = false };
}
