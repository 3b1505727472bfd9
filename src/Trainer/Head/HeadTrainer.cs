using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// The fast tempo: learns a head's W and B with beeFormer's loss on encoder outputs that are already there. A step draws m items, takes every user with two or more of them,
/// and moves W and the rows of B whose words occur in the drawn items: its cost grows neither with the catalogue nor with the vocabulary.
/// </summary>
public static class HeadTrainer
{
    /// <param name="start">An untrained head, or an incumbent (<see cref="Head.WithTexts"/> brings it to a newer catalogue) to go on from.</param>
    /// <param name="encoderOutputs">e of every item.</param>
    /// <param name="words">t of every item: <see cref="Head.TfIdf"/> of <paramref name="start"/>.</param>
    /// <param name="interactions">Columns are the same items.</param>
    /// <returns>A new head; <paramref name="start"/> stays as it is. Where no user touched two items there is nothing to learn, and the weights are those of <paramref name="start"/>.</returns>
    public static Head Train(Head start, EmbeddingMatrix encoderOutputs, SparseRows words, InteractionColumns interactions, HeadTrainingOptions options,
        TimeProvider clock, IProgress<HeadTrainingProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Train(start, encoderOutputs, words, interactions, options, clock, progress, validation: null, cancellationToken);

    /// <param name="validation">Ends the training early; the weights are then those of its best step.</param>
    internal static Head Train(Head start, EmbeddingMatrix encoderOutputs, SparseRows words, InteractionColumns interactions, HeadTrainingOptions options,
        TimeProvider clock, IProgress<HeadTrainingProgress>? progress, EarlyStopping? validation, CancellationToken cancellationToken)
    {
        if (encoderOutputs.Dimension != start.EncoderDimension)
            throw new ArgumentException($"Encoder outputs have {encoderOutputs.Dimension} dimensions; the head was made for {start.EncoderDimension}.", nameof(encoderOutputs));
        if (encoderOutputs.Rows != interactions.Items || words.Count != interactions.Items)
            throw new ArgumentException($"{encoderOutputs.Rows} encoder outputs and {words.Count} texts for {interactions.Items} items.", nameof(words));

        var sampler = new ItemSampler(interactions, options.MaxUsersPerStep, options.Seed);
        var step = new HeadStep(start, encoderOutputs, words, options);
        HeadValidation? looks = validation is null ? null : new HeadValidation(validation, step, encoderOutputs, words);
        looks?.Look(0);
        long began = clock.GetTimestamp();
        double done = 0;
        for (int n = 0; n < options.Steps && done < 1; n++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var draw = sampler.Draw(options.ItemsPerStep);
            double loss = step.Run(draw, rate: (float)(1 - done));
            progress?.Report(new HeadTrainingProgress(n + 1, options.Steps, loss, draw.Users));
            done = (n + 1.0) / options.Steps;
            if (validation?.Due(n + 1, options.Steps) == true && looks!.Look(n + 1)) break;
            if (options.TimeBudget is { } budget) done = Math.Max(done, clock.GetElapsedTime(began) / budget);
        }
        validation?.RestoreBest();
        return step.Finish();
    }
}
