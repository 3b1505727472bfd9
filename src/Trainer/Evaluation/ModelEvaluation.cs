using System.Text.Json.Nodes;
using BeeFormer.Streaming.Encoder;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Scores models and baselines on the held-out slice of one window.</summary>
/// <param name="texts">Of the whole catalogue.</param>
/// <param name="old">An old slice to look for forgetting on; null: none.</param>
/// <param name="imageUrls">Of the pictures of the whole catalogue; null: there are none.</param>
internal sealed class ModelEvaluation(WindowSplit split, IReadOnlyList<string> texts, TrainingPolicy policy, CancellationToken cancellationToken, WindowSplit? old = null, IReadOnlyList<string?>? imageUrls = null)
{
    public GateCandidate Of(EmbeddingModel model)
    {
        EmbeddingMatrix vectors = model.EmbedItems(texts, imageUrls, progress: null, cancellationToken);
        CanaryReport canaries = CanaryReport.Of(canary => model.EmbedTexts(canary, progress: null, cancellationToken), vectors, texts, policy);
        return Of(vectors) with { Canaries = canaries };
    }

    /// <param name="vectors">One row an item of the catalogue.</param>
    public GateCandidate Of(EmbeddingMatrix vectors)
    {
        VectorHealth health = VectorHealth.Of(vectors, policy.Seed);
        using var scope = NewDisposeScope();
        Tensor? unitRows = health.Finite ? Ranker.UnitRows(vectors) : null;
        // Vectors that are not numbers rank nothing; the gate refuses them for that alone.
        HoldoutScores On(WindowSplit slice) => HoldoutScores.Of(slice, catalogue => unitRows is not null
            ? Ranker.ByVectors(unitRows, slice.History, catalogue)
            : users => full([users.Length, catalogue.Length], Ranker.MinusInfinity), cancellationToken);
        return new GateCandidate(On(split), health, old is null ? null : On(old).All);
    }

    public HoldoutScores Popularity() => HoldoutScores.Of(split, catalogue => Baselines.Popularity(split.History, catalogue, policy.Seed), cancellationToken);

    public HoldoutScores TfIdf()
    {
        SparseRows words = Baselines.Words(texts, policy);
        return HoldoutScores.Of(split, catalogue => Baselines.TfIdf(words, split.History, catalogue), cancellationToken);
    }

    public HoldoutScores Elsa()
    {
        EmbeddingMatrix vectors = Trainer.Elsa.Train(split.History, policy, cancellationToken);
        return HoldoutScores.Of(split, catalogue => Baselines.ByKnownVectors(vectors, split.History, catalogue), cancellationToken);
    }

    /// <summary>Adds what the models are measured against, on the same slice by the same protocol.</summary>
    public void AddBaselines(JsonObject record)
    {
        record["popularity"] = Popularity().ToJson();
        record["tfidf"] = TfIdf().ToJson();
        record["elsa"] = policy.ElsaEpochs == 0 ? null : Elsa().ToJson(ranksCold: false);
    }

    public static JsonObject ToJson(GateCandidate candidate)
    {
        JsonObject json = candidate.Scores.ToJson();
        json["old"] = candidate.Old?.ToJson();
        json["vectors"] = candidate.Health.ToJson();
        json["canaries"] = candidate.Canaries?.ToJson();
        return json;
    }
}
