using BeeFormer.Streaming.Trainer.Wire;
using Google.Protobuf;

namespace BeeFormer.Streaming.Trainer;

/// <summary>A chunk of texts on its way to a worker.</summary>
internal static class ChunkMessage
{
    /// <summary>Of embeddings or their gradients in one message; leaves room for the token ids beside them within gRPC's 4 MB.</summary>
    private const int MostBytes = 3 << 20;

    /// <summary>Texts of a chunk at most, so that their embeddings fit a message.</summary>
    public static int MostTexts(int dimension) => Math.Max(1, MostBytes / (sizeof(float) * dimension));

    /// <param name="gradient">∂loss/∂embeddings [texts, d]; empty in the first pass.</param>
    public static Chunk Of(int number, int[][] tokens, ReadOnlyMemory<byte> gradient)
    {
        var chunk = new Chunk { Number = number, Gradient = UnsafeByteOperations.UnsafeWrap(gradient) };
        foreach (int[] text in tokens)
        {
            chunk.Lengths.Add(text.Length);
            chunk.Ids.AddRange(text);
        }
        return chunk;
    }

    /// <exception cref="InvalidDataException">Names the field and what was expected.</exception>
    public static int[][] Tokens(Chunk chunk, int dimension, int maxLength, int vocabulary, bool withGradient)
    {
        int texts = chunk.Lengths.Count, mostTokens = Math.Max(StepMemory.DefaultChunkTokens, maxLength);
        if (texts < 1 || texts > MostTexts(dimension)) throw new InvalidDataException($"lengths has {texts} texts; expected 1 to {MostTexts(dimension)}.");
        long ids = 0;
        int longest = 0;
        foreach (int length in chunk.Lengths)
        {
            if (length < 1 || length > maxLength) throw new InvalidDataException($"lengths holds {length}; expected 1 to {maxLength} tokens a text.");
            ids += length;
            longest = Math.Max(longest, length);
        }
        if ((long)texts * longest > mostTokens) throw new InvalidDataException($"lengths makes a chunk of {(long)texts * longest} tokens, padding counted; expected {mostTokens} at most.");
        if (ids != chunk.Ids.Count) throw new InvalidDataException($"ids has {chunk.Ids.Count} tokens; expected {ids}, the sum of lengths.");
        foreach (int id in chunk.Ids)
            if (id < 0 || id >= vocabulary) throw new InvalidDataException($"ids holds {id}; expected 0 to {vocabulary - 1}.");
        int expected = withGradient ? texts * dimension * sizeof(float) : 0;
        if (chunk.Gradient.Length != expected) throw new InvalidDataException($"gradient has {chunk.Gradient.Length} bytes; expected {expected}.");

        var tokens = new int[texts][];
        int first = 0;
        for (int text = 0; text < texts; text++)
        {
            tokens[text] = new int[chunk.Lengths[text]];
            for (int n = 0; n < tokens[text].Length; n++) tokens[text][n] = chunk.Ids[first + n];
            first += tokens[text].Length;
        }
        return tokens;
    }
}
