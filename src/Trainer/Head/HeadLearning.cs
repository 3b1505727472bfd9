using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer;

/// <summary>A head over one encoder: from which start it is learned, and, where there are two, which of both goes on.</summary>
/// <param name="record">Is told of early stopping and of the choice.</param>
internal sealed class HeadLearning(TrainingPolicy policy, TrainingCatalogue catalogue, LearningSplit split, TimeProvider clock, TrainingPhases phases, JsonObject record)
{
    /// <param name="outputs">e of every item.</param>
    /// <param name="before">The head to go on from; null: none.</param>
    public Head Learn(EmbeddingMatrix outputs, Head? before, TrainingTempo tempo, CancellationToken cancellationToken)
    {
        bool goesOn = before is not null && before.EncoderDimension == outputs.Dimension && !(policy.WarmStart == WarmStart.Base && tempo == TrainingTempo.Head);
        if (!goesOn) return Learn("base", Fresh(outputs), policy.HeadSteps, outputs, cancellationToken);
        Head warm = Learn("incumbent", before!.WithTexts(catalogue.WordsFor(before.Shape)), tempo == TrainingTempo.Head ? policy.HeadWarmSteps : policy.HeadSteps, outputs, cancellationToken);
        if (policy.WarmStart != WarmStart.Both || split.Validation is not { } validation) return warm;

        Head fresh = Learn("base", Fresh(outputs), policy.HeadSteps, outputs, cancellationToken);
        (HoldoutScores ofWarm, HoldoutScores ofFresh) = (Scores(warm, outputs, validation, cancellationToken), Scores(fresh, outputs, validation, cancellationToken));
        // What is no number is never better.
        bool chosen = ofFresh.Decisive(policy) > ofWarm.Decisive(policy) && Finite(fresh) || !Finite(warm);
        record["start"] = new JsonObject { ["chosen"] = chosen ? "base" : "incumbent", ["incumbent"] = ofWarm.ToJson(), ["base"] = ofFresh.ToJson() };
        return chosen ? fresh : warm;
    }

    private Head Fresh(EmbeddingMatrix outputs) => ModelTraining.NewHead(outputs.Dimension, catalogue.Texts, catalogue.Words, policy);

    private Head Learn(string from, Head start, int steps, EmbeddingMatrix outputs, CancellationToken cancellationToken)
    {
        EarlyStopping? stopping = split.Slice is null ? null : new EarlyStopping(split.Slice, policy);
        Head head = ModelTraining.LearnHead(start, start.TfIdf(catalogue.WordsFor(start.Shape)), outputs, split.Interactions, policy, steps, clock, phases, cancellationToken, stopping);
        if (stopping is not null) record[$"head_from_{from}"] = stopping.ToJson();
        return head;
    }

    private HoldoutScores Scores(Head head, EmbeddingMatrix outputs, WindowSplit validation, CancellationToken cancellationToken)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var rows = Ranker.UnitRows(head.Apply(outputs, catalogue.WordsFor(head.Shape)));
        return HoldoutScores.Of(validation, candidates => Ranker.ByVectors(rows, validation.History, candidates), cancellationToken);
    }

    /// <summary>Whether all weights are finite numbers.</summary>
    public static bool Finite(Head head) => Finite(head.Projection.Span) && Finite(head.WordRows.Span);

    private static bool Finite(ReadOnlySpan<float> values)
    {
        foreach (float value in values)
            if (!float.IsFinite(value)) return false;
        return true;
    }
}
