using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer;

/// <summary>How much a training step may hold at once. It decides how often texts are encoded and in which order gradients are added, not what is learned.</summary>
/// <param name="GraphBytes">For graphs kept from the first pass.</param>
/// <param name="ChunkTokens">Tokens, padding counted, that go through the encoder together.</param>
/// <param name="LossEntries">Entries of X that the loss sees together.</param>
internal sealed record StepMemory(long GraphBytes, int ChunkTokens, int LossEntries)
{
    public const int DefaultChunkTokens = 4096, DefaultLossEntries = 1 << 22;
    /// <summary>Matrices of X's size that loss, gradient and top_k hold at once: 14 of float32.</summary>
    internal const long LossBytesPerEntry = 56;
    /// <summary>What the allocator and the garbage collector keep beside what is asked of them.</summary>
    private const long Slack = 64L << 20;

    /// <summary>What a policy's <c>max_memory</c> leaves for a step; without it, the defaults.</summary>
    /// <param name="encoder">What learns wants gradients. Gradients, momentums and replicas are still to come.</param>
    /// <param name="columns">Items of a step.</param>
    /// <param name="resident">Bytes in use by now.</param>
    /// <param name="gradientsHeld">Gradients of all weights that may be here at once beside the encoder's own: workers send them.</param>
    /// <exception cref="InsufficientMemoryException">Not even one text at a time fits; says what would.</exception>
    public static StepMemory Of(TrainingPolicy policy, SentenceEncoder encoder, int columns, int replicas, long resident, int gradientsHeld = 0)
    {
        var asked = new StepMemory((long)policy.GraphMemoryMb << 20, DefaultChunkTokens, DefaultLossEntries);
        if (policy.MaxMemory is not { } mebibytes) return asked;
        long learned = encoder.Parameters.Where(p => p.Value.requires_grad).Sum(p => p.Value.numel()) * sizeof(float), all = encoder.Parameters.Sum(p => p.Value.numel()) * sizeof(float);
        // Gradient, two momentums, and what the optimizer makes of its largest weight on the way; a copy of the weights and a gradient for each further replica.
        long weights = 3 * learned + 4 * encoder.Parameters.Max(p => p.Value.numel()) * sizeof(float) + (replicas - 1) * (all + learned) + gradientsHeld * learned;
        long perToken = GraphBytesPerToken(encoder) * replicas;
        long smallest = encoder.MaxSequenceLength * perToken + columns * LossBytesPerEntry;
        long left = ((long)mebibytes << 20) - resident - weights - Slack;
        if (left < smallest)
            throw new InsufficientMemoryException(FormattableString.Invariant(
                $"max_memory is {mebibytes} MiB; this training needs {MiB(resident + weights + Slack + smallest)} MiB at least ({MiB(resident)} in use before, {MiB(weights)} for gradients and momentums, {MiB(smallest)} for one text of {encoder.MaxSequenceLength} tokens at a time). Raise it, freeze more layers (frozen_layers) or cut texts shorter (max_seq_length)."));
        int chunkTokens = (int)Math.Clamp(left / 4 / perToken, encoder.MaxSequenceLength, Math.Max(encoder.MaxSequenceLength, DefaultChunkTokens));
        int lossEntries = (int)Math.Clamp(left / 4 / LossBytesPerEntry, columns, Math.Max(columns, DefaultLossEntries));
        return new StepMemory(Math.Clamp(left - chunkTokens * perToken - lossEntries * LossBytesPerEntry, 0, asked.GraphBytes), chunkTokens, lossEntries);
    }

    /// <summary>The same for a head: fewer users take part in a step.</summary>
    /// <exception cref="InsufficientMemoryException">Weights and momentums, or a step of 64 users, do not fit.</exception>
    public static HeadTrainingOptions Bound(HeadTrainingOptions options, TrainingPolicy policy, Head start, long resident)
    {
        if (policy.MaxMemory is not { } mebibytes) return options;
        const int fewest = 64;
        // Weights as they are learned, two momentums, and the head that comes out of it.
        long weights = 4L * sizeof(float) * start.Dimension * (start.EncoderDimension + start.Vocabulary.Words.Count);
        long perUser = sizeof(float) * (options.ItemsPerStep + 2L * start.Dimension), items = 6L * sizeof(float) * options.ItemsPerStep * Math.Max(start.Dimension, start.EncoderDimension);
        long left = ((long)mebibytes << 20) - resident - weights - items - Slack;
        if (left < fewest * perUser)
            throw new InsufficientMemoryException(FormattableString.Invariant(
                $"max_memory is {mebibytes} MiB; learning the head needs {MiB(resident + weights + items + Slack + fewest * perUser)} MiB at least ({MiB(resident)} in use before, {MiB(weights)} for its weights and momentums). Raise it or lower head_output."));
        return options with { MaxUsersPerStep = (int)Math.Clamp(left / perUser, fewest, Math.Max(fewest, options.MaxUsersPerStep)) };
    }

    /// <summary>
    /// What a graph keeps for one token, from the shapes of the weights: each matrix its input and its output, which was measured to be nine tenths of everything; a quarter more for what lies in attention
    /// where it has a bias of its own. The word embeddings are a table and keep nothing of that size.
    /// The same in bfloat16: its numbers are half as long, but each graph also keeps rounded copies of its weights, and the embeddings stay float32.
    /// </summary>
    public static long GraphBytesPerToken(SentenceEncoder encoder) =>
        encoder.Parameters.Where(p => p.Value.requires_grad && p.Value.dim() == 2 && !p.Name.Contains("embeddings", StringComparison.Ordinal)).Sum(p => p.Value.size(0) + p.Value.size(1)) * sizeof(float) * 5 / 4;

    private static long MiB(long bytes) => (bytes + (1 << 20) - 1) >> 20;
}
