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
/// <param name="chunkSize">Texts of a chunk at most.</param>
/// <param name="graphBytes">Memory for graphs kept from the first pass; what they need is estimated.</param>
/// <param name="lower">Frozen layers of <paramref name="encoder"/>, whose outputs are kept; null: all of it is computed.</param>
/// <param name="replicas">Copies of <paramref name="encoder"/> that share the chunks with it, dealt in turn; null: it does all of them.</param>
/// <param name="layersIn">Numbers that the encoder's layers compute in, float32 or bfloat16; the loss and all gradients of weights are float32.</param>
/// <param name="workers">Other machines that share the chunks with this one; null: there are none. With them there is one replica.</param>
internal sealed class BeeFormerStep(SentenceEncoder encoder, int chunkSize, int topK = 0, long graphBytes = 0, FrozenLayers? lower = null, EncoderReplicas? replicas = null, ScalarType layersIn = ScalarType.Float32,
    TrainingWorkers? workers = null)
{
    private static readonly Scalar Zero = 0.ToScalar(), MinusInfinity = float.NegativeInfinity.ToScalar();

    private readonly EncoderReplicas _replicas = replicas ?? new EncoderReplicas(encoder, [encoder.Device]);

    /// <summary>A chunk that travels fits a message.</summary>
    private readonly int _chunkSize = workers is null ? chunkSize : Math.Min(chunkSize, ChunkMessage.MostTexts(encoder.Dimension));

    /// <summary>Tokens of a chunk at most, padding counted; a longer text is alone.</summary>
    public int ChunkTokens { get; init; } = StepMemory.DefaultChunkTokens;

    /// <summary>Entries of X that the loss sees at once: bounds its memory whatever the users and columns of a batch.</summary>
    public int LossEntries { get; init; } = StepMemory.DefaultLossEntries;

    private readonly long _bytesPerToken = StepMemory.GraphBytesPerToken(encoder);

    /// <summary>Adds the gradients of one batch to the <c>grad</c> of the encoder's parameters.</summary>
    /// <param name="tokens">Token ids of the columns' texts.</param>
    /// <param name="x">[users, columns]; rows without any interaction are allowed and add to the mean only.</param>
    /// <returns>The loss.</returns>
    public float Accumulate(IReadOnlyList<int[]> tokens, Tensor x) => Accumulate(tokens, LossOf(x));

    /// <inheritdoc cref="Accumulate(IReadOnlyList{int[]}, Tensor)"/>
    public float Accumulate(IReadOnlyList<int[]> tokens, TrainingBatch batch) => Accumulate(tokens, LossOf(batch));

    /// <summary>The loss on embeddings of the columns of X, and its gradient.</summary>
    public Func<Tensor, int[], (float Loss, Tensor Gradient)> LossOf(Tensor x) => LossOf((int)x.size(1), (int)x.size(0), (first, count) => x.narrow(0, first, count));

    /// <inheritdoc cref="LossOf(Tensor)"/>
    public Func<Tensor, int[], (float Loss, Tensor Gradient)> LossOf(TrainingBatch batch) => LossOf(batch.Columns.Length, batch.Rows, (first, count) => tensor(batch.Dense(first, count), count, batch.Columns.Length));

    /// <param name="rowsOfX">[count, columns] from the first row and the count on.</param>
    private Func<Tensor, int[], (float Loss, Tensor Gradient)> LossOf(int columnsOfX, int rows, Func<int, int, Tensor> rowsOfX) => (embeddings, order) =>
    {
        // Rows of A are in the order given, so the columns of X are brought into it.
        Tensor columns = tensor(order.Select(column => (long)column).ToArray());
        using var withGradients = enable_grad();
        Tensor a = embeddings.requires_grad_();
        int together = Math.Clamp(LossEntries / columnsOfX, 1, Math.Max(1, rows));
        double sum = 0;
        // The loss is a mean over users: their gradients add up, whatever the number taken at once.
        for (int first = 0; first < rows; first += together)
        {
            using var blockScope = NewDisposeScope();
            int count = Math.Min(together, rows - first);
            using Scalar share = (count / (double)rows).ToScalar();
            Tensor loss = Loss(a, rowsOfX(first, count).index_select(1, columns).to(a.device), topK);
            if (count < rows) loss *= share;
            loss.backward();
            sum += loss.cpu().data<float>()[0];
        }
        return ((float)sum, a.grad!);
    };

    /// <summary>The same for another loss on the embeddings.</summary>
    /// <param name="gradientOf">From embeddings [columns, d] (no graph), not of length 1, and the column of each row: the loss and ∂loss/∂embeddings [columns, d].</param>
    public float Accumulate(IReadOnlyList<int[]> tokens, Func<Tensor, int[], (float Loss, Tensor Gradient)> gradientOf)
    {
        using var scope = NewDisposeScope();
        // Neighbours in length share a chunk, so little of it is padding.
        int[] byLength = [.. Enumerable.Range(0, tokens.Count).OrderBy(column => tokens[column].Length)];
        int[][][] chunks = [.. Chunks(tokens, byLength).Select(chunk => chunk.Select(column => tokens[column]).ToArray())];
        using IChunkPass pass = workers is null ? new LocalPass(chunks, _replicas, Encode, new GraphMemory(_bytesPerToken, graphBytes)) : new SpreadPass(chunks, workers);
        (float loss, Tensor gradient) = gradientOf(pass.Embed(), byLength);
        pass.BackPropagate(gradient);
        return loss;
    }

    private IEnumerable<int[]> Chunks(IReadOnlyList<int[]> tokens, int[] byLength)
    {
        for (int first = 0; first < byLength.Length;)
        {
            int end = first + 1;
            while (end < byLength.Length && end - first < _chunkSize && (long)(end - first + 1) * tokens[byLength[end]].Length <= ChunkTokens) end++;
            yield return byLength[first..end];
            first = end;
        }
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

    private Tensor Encode(int[][] tokens, int replica) => lower is null ? _replicas[replica].Forward(tokens, layersIn) : lower.Forward(tokens, _replicas[replica], layersIn);
}
