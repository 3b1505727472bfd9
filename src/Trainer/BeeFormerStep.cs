using BeeFormer.Streaming.Encoder;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// One gradient of beeFormer (Vančura, Kordík, Straka 2024):
/// <code>
/// A = rows of encoder(texts), each of length 1      [columns, d]
/// P = relu(X A Aᵀ − X)                              [users, columns]
/// loss = mean over all entries of (P/‖P‖ − X/‖X‖)²  with norms along rows
/// </code>
/// X is 0 where a user did not touch an item, so X A over all columns is the paper's X⁺ A⁺ over the positives.
/// The loss couples all columns, the encoder none: ∂loss/∂A is computed once, then each chunk of texts goes through the encoder again, with a graph, and back-propagates
/// its rows of it. The gradients are those of one graph over everything, the memory is that of one chunk.
/// </summary>
/// <param name="lower">Frozen layers of <paramref name="encoder"/>, whose outputs are kept; null: all of it is computed.</param>
/// <param name="layersIn">Numbers that the encoder's layers compute in, float32 or bfloat16; the loss and all gradients of weights are float32.</param>
internal sealed class BeeFormerStep(SentenceEncoder encoder, int chunkSize, int topK = 0, long graphBytes = 0, FrozenLayers? lower = null, ScalarType layersIn = ScalarType.Float32)
{
    private static readonly Scalar Zero = 0.ToScalar(), MinusInfinity = float.NegativeInfinity.ToScalar();

    private readonly long _bytesPerToken = ActivationBytesPerToken(encoder);

    /// <summary>Adds the gradients of one batch to the <c>grad</c> of the encoder's parameters.</summary>
    /// <param name="tokens">Token ids of the columns' texts.</param>
    /// <param name="x">[users, columns]; rows without any interaction are allowed and add to the mean only.</param>
    /// <returns>The loss.</returns>
    public float Accumulate(IReadOnlyList<int[]> tokens, Tensor x) => Accumulate(tokens, (embeddings, order) =>
    {
        // Rows of A are in the order given, so the columns of X are brought into it.
        Tensor columns = tensor(order.Select(column => (long)column).ToArray());
        using var withGradients = enable_grad();
        Tensor a = embeddings.requires_grad_();
        Tensor loss = Loss(a, x.index_select(1, columns), topK);
        loss.backward();
        return (loss.data<float>()[0], a.grad!);
    });

    /// <summary>The same for another loss on the embeddings.</summary>
    /// <param name="gradientOf">From embeddings [columns, d] (no graph), not of length 1, and the column of each row: the loss and ∂loss/∂embeddings [columns, d].</param>
    public float Accumulate(IReadOnlyList<int[]> tokens, Func<Tensor, int[], (float Loss, Tensor Gradient)> gradientOf)
    {
        using var scope = NewDisposeScope();
        // Neighbours in length share a chunk, so little of it is padding.
        int[] byLength = [.. Enumerable.Range(0, tokens.Count).OrderBy(column => tokens[column].Length)];
        int[][] chunks = [.. byLength.Chunk(chunkSize)];
        var kept = new Tensor?[chunks.Length];
        var rows = new Tensor[chunks.Length];

        // First pass: embeddings, with a graph for as many chunks as fit the memory.
        long used = 0;
        for (int n = 0; n < chunks.Length; n++)
        {
            long bytes = (long)chunks[n].Length * tokens[chunks[n][^1]].Length * _bytesPerToken;
            bool keep = used + bytes <= graphBytes;
            using var gradients = set_grad_enabled(keep);
            Tensor output = Encode(tokens, chunks[n]);
            if (keep)
            {
                kept[n] = output;
                used += bytes;
            }
            rows[n] = output.detach();
        }

        (float loss, Tensor gradient) = gradientOf(cat(rows), byLength);

        using var withGradients = enable_grad();
        // Second pass: each chunk back-propagates its slice.
        long first = 0;
        for (int n = 0; n < chunks.Length; n++)
        {
            using var chunkScope = NewDisposeScope();
            Tensor output = kept[n] ?? Encode(tokens, chunks[n]);
            output.backward([gradient.narrow(0, first, chunks[n].Length)]);
            first += chunks[n].Length;
        }
        return loss;
    }

    /// <summary>The loss for embeddings of any length. With <paramref name="topK"/> only a row's positives and its k largest other predictions take part.</summary>
    /// <param name="embeddings">[columns, d]</param>
    /// <param name="x">[users, columns]</param>
    public static Tensor Loss(Tensor embeddings, Tensor x, int topK)
    {
        Tensor a = Rows(embeddings);                                // [columns, d]
        Tensor p = nn.functional.relu(x.mm(a).mm(a.t()) - x);       // [users, columns]
        if (topK > 0) p *= PositivesAndHardest(p, x, topK);
        Tensor difference = Rows(p) - Rows(x);
        return (difference * difference).mean();                    // not square(): it makes a number that nobody holds
    }

    /// <summary>The published code keeps the k largest predictions alone; a seen item has had its own weight subtracted, so none of them is ever a positive, and nothing is learned.</summary>
    private static Tensor PositivesAndHardest(Tensor p, Tensor x, int topK)
    {
        using var noGrad = no_grad();
        Tensor positive = x.gt(Zero);
        Tensor others = p.masked_fill(positive, MinusInfinity);
        long k = Math.Min(topK, p.size(1));
        Tensor hardest = others.topk((int)k, 1).indexes;            // [users, k]
        return positive.to_type(ScalarType.Float32).scatter(1, hardest, ones_like(hardest, dtype: ScalarType.Float32));
    }

    private static Tensor Rows(Tensor matrix) => nn.functional.normalize(matrix, p: 2, dim: 1, eps: 1e-12);

    private Tensor Encode(IReadOnlyList<int[]> tokens, int[] columns)
    {
        int[][] texts = [.. columns.Select(column => tokens[column])];
        return lower is null ? encoder.Forward(texts, layersIn) : lower.Forward(texts, layersIn);
    }

    /// <summary>
    /// What a graph keeps for one token, from the shapes of the weights: each matrix keeps its input and output, and about as much again lies in attention, normalisation and activation.
    /// The word embeddings are a table and keep nothing of that size.
    /// </summary>
    private static long ActivationBytesPerToken(SentenceEncoder encoder) =>
        encoder.Parameters.Where(p => p.Value.requires_grad && p.Value.dim() == 2 && !p.Name.Contains("embeddings", StringComparison.Ordinal)).Sum(p => p.Value.size(0) + p.Value.size(1)) * sizeof(float) * 2;
}
