using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Scores models and baselines on the held-out slice of one window.</summary>
/// <param name="words">What the word baseline finds the words of the whole catalogue in.</param>
/// <param name="old">An old slice to look for forgetting on; null: none.</param>
/// <param name="items">The whole catalogue; null: all vectors are given.</param>
internal sealed class ModelEvaluation(WindowSplit split, IReadOnlyList<string> words, TrainingPolicy policy, CancellationToken cancellationToken, WindowSplit? old = null, IReadOnlyList<ItemEvent>? items = null)
{
    /// <summary>Each model reads the items by its own template.</summary>
    public GateCandidate Of(EmbeddingModel model)
    {
        IReadOnlyList<ItemEvent> catalogue = items ?? [];
        string[] texts = [.. catalogue.Select(model.Text.Of)], read = [.. catalogue.Select(model.Text.WordsOf)];
        EmbeddingMatrix vectors = model.EmbedItems(texts, read, [.. catalogue.Select(item => item.ImageUrl)], progress: null, cancellationToken);
        CanaryReport canaries = CanaryReport.Of((canary, its) => model.EmbedItems(canary, its, imageUrls: null, progress: null, cancellationToken), vectors, texts, read, policy);
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
        SparseRows rows = Baselines.Words(words, policy);
        return HoldoutScores.Of(split, catalogue => Baselines.TfIdf(rows, split.History, catalogue), cancellationToken);
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
