namespace BeeFormer.Streaming.Trainer;

/// <summary>Which batches an encoder learns from, and how many.</summary>
internal static class EncoderDraws
{
    public static int Steps(InteractionMatrix interactions, TrainingPolicy policy)
    {
        if (policy.EncoderSteps > 0) return policy.EncoderSteps;
        int all = policy.Batching == Batching.Items ? interactions.TouchedItems().Length : Enumerable.Range(0, interactions.Users).Count(user => !interactions.ItemsOf(user).IsEmpty);
        int perStep = policy.Batching == Batching.Items ? Math.Max(2, policy.MaxOutput) : policy.BatchSize;
        return (int)Math.Min(int.MaxValue, (long)policy.Epochs * ((all + perStep - 1) / perStep));
    }

    /// <summary>Without end, unless nobody has touched anything.</summary>
    public static IEnumerable<TrainingBatch> Batches(ColumnSampler sampler, TrainingPolicy policy)
    {
        while (true)
        {
            if (policy.Batching == Batching.Items)
            {
                yield return sampler.Items(policy.MaxOutput);
                continue;
            }
            bool any = false;
            foreach (int[] users in sampler.UserBatches(policy.BatchSize))
            {
                any = true;
                yield return sampler.Users(users, policy.MaxOutput);
            }
            if (!any) yield break;
        }
    }
}
