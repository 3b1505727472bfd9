using BeeFormer.Streaming.Encoder;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// What pictures add to a step of beeFormer. As in <see cref="BeeFormerStep"/> the loss couples all items and the towers none: embeddings first, then ∂loss through the combination
/// to the embeddings of either tower and to w, then each chunk of pictures goes through its tower again, with a graph. The gradients are those of one graph over everything.
/// The image tower learns in all its layers.
/// </summary>
/// <param name="chunkSize">Items whose pictures are in memory, and in a graph, together.</param>
/// <param name="pixels">Pixel values of an item's picture, as <see cref="ImageEncoder.Preprocess"/> gives them; null where it has none. Asked for in both passes: only a chunk of them is in memory.</param>
internal sealed class TextImageStep(TextImageEncoder encoder, int chunkSize, Func<int, float[]?> pixels)
{
    /// <summary>What learns beside the text tower.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> Weights => encoder.ImageParameters;

    /// <summary>A loss on embeddings of items with their pictures becomes one on those of their texts; the gradients of the image tower and of ln w are added to their <c>grad</c>.</summary>
    /// <param name="items">Of the step's columns.</param>
    /// <param name="gradientOf">See <see cref="BeeFormerStep.Accumulate(IReadOnlyList{int[]}, Func{Tensor, int[], ValueTuple{float, Tensor}})"/>.</param>
    public Func<Tensor, int[], (float Loss, Tensor Gradient)> Through(int[] items, Func<Tensor, int[], (float Loss, Tensor Gradient)> gradientOf) => (texts, order) =>
    {
        int[] inOrder = [.. order.Select(column => items[column])];
        (Tensor? images, List<int[]> chunks) = Embed(inOrder);
        using var withGradients = enable_grad();
        texts.requires_grad_();
        images?.requires_grad_();
        Tensor combined = encoder.Combine(texts, images, Places(chunks));
        (float loss, Tensor gradient) = gradientOf(combined.detach(), order);
        combined.backward([gradient]);
        if (images is not null) BackPropagate(inOrder, chunks, images.grad!);
        return (loss, texts.grad!);
    };

    /// <summary>Embeddings of items from those of their texts [items, d], without a graph.</summary>
    public Tensor Combine(Tensor texts, int[] items)
    {
        (Tensor? images, List<int[]> chunks) = Embed(items);
        return encoder.Combine(texts, images, Places(chunks));
    }

    /// <returns>[pictures, d] without a graph, null where there are none; and the rows of the items that have one, by chunk.</returns>
    private (Tensor? Images, List<int[]> Chunks) Embed(int[] items)
    {
        using var noGradients = no_grad();
        var images = new List<Tensor>();
        var chunks = new List<int[]>();
        foreach (int[] rows in Enumerable.Range(0, items.Length).Chunk(chunkSize))
        {
            (int Row, float[]? Values)[] found = [.. rows.Select(row => (row, pixels(items[row]))).Where(picture => picture.Item2 is not null)];
            if (found.Length == 0) continue;
            images.Add(Forward([.. found.Select(picture => picture.Values!)]));
            chunks.Add([.. found.Select(picture => picture.Row)]);
        }
        return (images.Count == 0 ? null : cat(images), chunks);
    }

    private static Tensor? Places(List<int[]> chunks) => chunks.Count == 0 ? null : tensor(chunks.SelectMany(rows => rows).Select(row => (long)row).ToArray());

    /// <param name="gradient">∂loss/∂images [pictures, d]</param>
    private void BackPropagate(int[] items, List<int[]> chunks, Tensor gradient)
    {
        long first = 0;
        foreach (int[] rows in chunks)
        {
            using var chunkScope = NewDisposeScope();
            float[][] values = [.. rows.Select(row => pixels(items[row]) ?? throw new InvalidDataException("A picture was removed or damaged while it was learned from; begin the training anew."))];
            Forward(values).backward([gradient.narrow(0, first, rows.Length)]);
            first += rows.Length;
        }
    }

    private Tensor Forward(float[][] chunk)
    {
        using var scope = NewDisposeScope();
        Tensor values = tensor(chunk.SelectMany(picture => picture).ToArray(), [chunk.Length, 3, encoder.Image.ImageSize, encoder.Image.ImageSize]);
        return encoder.Image.Forward(values).MoveToOuterDisposeScope();
    }
}
