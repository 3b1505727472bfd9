using BeeFormer.Streaming.Encoder;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// One gradient of beeFormer on embeddings of texts with pictures. As in <see cref="BeeFormerStep"/> the loss couples all columns and the towers none: embeddings first, then ∂loss through the combination
/// to the embeddings of either tower and to w, then each chunk of texts and of pictures goes through its tower again, with a graph. The gradients are those of one graph over everything.
/// </summary>
/// <param name="chunkSize">Texts, and pictures, in a graph together.</param>
/// <param name="lower">Frozen layers of the text tower, whose outputs are kept; null: all of it is computed. The image tower learns in all its layers.</param>
internal sealed class TextImageStep(TextImageEncoder encoder, int chunkSize, int topK = 0, long graphBytes = 0, FrozenLayers? lower = null)
{
    private readonly BeeFormerStep _texts = new(encoder.Text, chunkSize, topK, graphBytes, lower);

    /// <summary>Adds the gradients of one batch to the <c>grad</c> of both towers' parameters and of ln w.</summary>
    /// <param name="tokens">Token ids of the columns' texts.</param>
    /// <param name="pixels">Pixel values of each column's picture, as <see cref="ImageEncoder.Preprocess"/> gives them; null where it has none.</param>
    /// <param name="x">[users, columns]</param>
    /// <returns>The loss.</returns>
    public float Accumulate(IReadOnlyList<int[]> tokens, IReadOnlyList<float[]?> pixels, Tensor x) => _texts.Accumulate(tokens, (texts, order) =>
    {
        // Rows stand in the order given, so pictures and the columns of X are brought into it.
        int[] rows = [.. Enumerable.Range(0, order.Length).Where(row => pixels[order[row]] is not null)];
        float[][][] chunks = [.. rows.Select(row => pixels[order[row]]!).Chunk(chunkSize)];
        Tensor columns = tensor(order.Select(column => (long)column).ToArray());
        Tensor? images = rows.Length == 0 ? null : Embed(chunks);   // [pictures, d], no graph
        Tensor? places = rows.Length == 0 ? null : tensor(rows.Select(row => (long)row).ToArray());

        using var withGradients = enable_grad();
        texts.requires_grad_();
        images?.requires_grad_();
        Tensor loss = BeeFormerStep.Loss(encoder.Combine(texts, images, places), x.index_select(1, columns), topK);
        loss.backward();
        if (images is not null) BackPropagate(chunks, images.grad!);
        return (loss.data<float>()[0], texts.grad!);
    });

    private Tensor Embed(float[][][] chunks)
    {
        using var noGradients = no_grad();
        return cat([.. chunks.Select(Forward)]);
    }

    /// <param name="gradient">∂loss/∂images [pictures, d]</param>
    private void BackPropagate(float[][][] chunks, Tensor gradient)
    {
        long first = 0;
        foreach (float[][] chunk in chunks)
        {
            using var chunkScope = NewDisposeScope();
            Forward(chunk).backward([gradient.narrow(0, first, chunk.Length)]);
            first += chunk.Length;
        }
    }

    private Tensor Forward(float[][] chunk) => encoder.Image.Forward(tensor(chunk.SelectMany(values => values).ToArray(), [chunk.Length, 3, encoder.Image.ImageSize, encoder.Image.ImageSize]));
}
