using System.Text.Json.Nodes;
using BeeFormer.Streaming.Encoder;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Scores models and baselines on the held-out slice of one window.</summary>
internal sealed class ModelEvaluation(WindowSplit split, IReadOnlyList<string> texts, TrainingPolicy policy, CancellationToken cancellationToken)
{
    public GateCandidate Of(EmbeddingModel model) => Of(model.EmbedTexts(texts, progress: null, cancellationToken));

    /// <param name="vectors">One row an item of the catalogue.</param>
    public GateCandidate Of(EmbeddingMatrix vectors)
    {
        VectorHealth health = VectorHealth.Of(vectors, policy.Seed);
        using var scope = NewDisposeScope();
        // Vectors that are not numbers rank nothing; the gate refuses them for that alone.
        Func<int[], Scorer> scorer = health.Finite
            ? catalogue => Ranker.ByVectors(Ranker.UnitRows(vectors), split.History, catalogue)
            : catalogue => users => full([users.Length, catalogue.Length], Ranker.MinusInfinity);
        return new GateCandidate(HoldoutScores.Of(split, scorer, cancellationToken), health);
    }

    public HoldoutScores Popularity() => HoldoutScores.Of(split, catalogue => Baselines.Popularity(split.History, catalogue, policy.Seed), cancellationToken);

    public HoldoutScores TfIdf()
    {
        SparseRows words = Head.Create(encoderDimension: 1, texts, policy.Seed).TfIdf(texts);
        return HoldoutScores.Of(split, catalogue => Baselines.TfIdf(words, split.History, catalogue), cancellationToken);
    }

    public static JsonObject ToJson(GateCandidate candidate)
    {
        JsonObject json = candidate.Scores.ToJson();
        json["vectors"] = candidate.Health.ToJson();
        return json;
    }
}
