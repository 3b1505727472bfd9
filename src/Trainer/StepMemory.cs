using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer;

/// <summary>What the parts of an encoder's training step take of the memory, estimated from shapes.</summary>
internal static class StepMemory
{
    public const int DefaultChunkTokens = 4096, DefaultLossEntries = 1 << 22;

    /// <summary>
    /// What a graph keeps for one token, from the shapes of the weights: each matrix keeps its input and output, and about as much again lies in attention, normalisation and activation.
    /// The word embeddings are a table and keep nothing of that size.
    /// </summary>
    public static long GraphBytesPerToken(SentenceEncoder encoder) =>
        encoder.Parameters.Where(p => p.Value.requires_grad && p.Value.dim() == 2 && !p.Name.Contains("embeddings", StringComparison.Ordinal)).Sum(p => p.Value.size(0) + p.Value.size(1)) * sizeof(float) * 2;
}
