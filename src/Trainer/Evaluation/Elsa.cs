using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer;

/// <summary>How large and how long ELSA is trained: together they bound its time at about steps · batch · items · factors · 6 multiply-adds.</summary>
internal sealed record ElsaOptions
{
    /// <summary>Length of an item's vector. Default 64.</summary>
    public int Factors { get; init; } = 64;
    /// <summary>Passes over the users. Default 10.</summary>
    public int Epochs { get; init; } = 10;
    /// <summary>Only so many items take part, those with most users first; the others cannot be ranked. Default 10,000.</summary>
    public int MaxItems { get; init; } = 10_000;
    /// <summary>Users of a step. Default 256.</summary>
    public int BatchSize { get; init; } = 256;
    /// <summary>Steps at most, whatever the epochs say. Default 200.</summary>
    public int MaxSteps { get; init; } = 200;
    /// <summary>Learning rate of NAdam; falls linearly to 0. Default 0.1.</summary>
    public double LearningRate { get; init; } = 0.1;
    /// <summary>Draws the start and the order of users.</summary>
    public int Seed { get; init; } = 1;
}

/// <summary>
/// ELSA (Vančura, Alves, Kasalický, Kordík 2022), the collaborative baseline: a free vector for each item, learned from interactions alone. It says how much of the users' behaviour
/// can be foretold without any text, and it is blind to items that nobody has touched.
/// </summary>
public static class Elsa
{
    /// <summary>Trains as the policy says; the same interactions, policy and number of threads give the same vectors.</summary>
    /// <returns>A row of length 1 for each item of the catalogue; all 0 for an item without users and for one beyond the policy's <see cref="TrainingPolicy.ElsaMaxItems"/>.</returns>
    public static EmbeddingMatrix Train(InteractionMatrix interactions, TrainingPolicy policy, CancellationToken cancellationToken) =>
        Train(interactions, new ElsaOptions { Factors = policy.ElsaFactors, Epochs = policy.ElsaEpochs, MaxItems = policy.ElsaMaxItems, Seed = policy.Seed }, cancellationToken);

    /// <returns>A row of length 1 for each item of the catalogue; all 0 for an item without users and for one beyond <see cref="ElsaOptions.MaxItems"/>.</returns>
    internal static EmbeddingMatrix Train(InteractionMatrix interactions, ElsaOptions options, CancellationToken cancellationToken)
    {
        int[] users = interactions.UsersPerItem();
        int[] kept = [.. interactions.TouchedItems().OrderByDescending(item => users[item]).Take(options.MaxItems).Order()];
        InteractionMatrix columns = Restrict(interactions, kept);
        // One item alone says nothing about which items go together.
        int[] learnedFrom = [.. Enumerable.Range(0, columns.Users).Where(user => columns.ItemsOf(user).Length >= 2)];
        var random = new Random(options.Seed);
        using var step = new ElsaStep(columns, Start(kept.Length, options.Factors, random), options.Factors);

        int batches = (learnedFrom.Length + options.BatchSize - 1) / options.BatchSize;
        int steps = (int)Math.Min(options.MaxSteps, (long)options.Epochs * batches), done = 0;
        while (done < steps)
        {
            random.Shuffle(learnedFrom);
            foreach (int[] batch in learnedFrom.Chunk(options.BatchSize).Take(steps - done))
            {
                cancellationToken.ThrowIfCancellationRequested();
                Array.Sort(batch);
                step.Accumulate(batch);
                step.Move(options.LearningRate * (1 - done++ / (double)steps));
            }
        }
        EmbeddingMatrix learned = step.UnitRows();
        EmbeddingMatrix vectors = EmbeddingMatrix.Zeros(interactions.Items, options.Factors);
        for (int row = 0; row < kept.Length; row++) learned.Row(row).CopyTo(vectors.Row(kept[row]));
        return vectors;
    }

    /// <summary>The same users over some of the items, renumbered.</summary>
    private static InteractionMatrix Restrict(InteractionMatrix interactions, int[] kept)
    {
        var column = new int[interactions.Items];
        Array.Fill(column, -1);
        for (int n = 0; n < kept.Length; n++) column[kept[n]] = n;
        var (user, item, weight) = (new List<int>(), new List<int>(), new List<float>());
        for (int u = 0; u < interactions.Users; u++)
        {
            ReadOnlySpan<int> items = interactions.ItemsOf(u);
            ReadOnlySpan<float> weights = interactions.WeightsOf(u);
            for (int n = 0; n < items.Length; n++)
            {
                if (column[items[n]] < 0) continue;
                user.Add(u);
                item.Add(column[items[n]]);
                weight.Add(weights[n]);
            }
        }
        return InteractionMatrix.FromPairs(interactions.Users, kept.Length, user.ToArray(), item.ToArray(), weight.ToArray());
    }

    private static float[] Start(int items, int factors, Random random)
    {
        var a = new float[items * factors];
        for (int n = 0; n < a.Length; n++) a[n] = random.NextSingle() - 0.5f;
        return a;
    }
}
