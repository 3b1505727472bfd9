using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// The text tower of CLIP (Radford et al. 2021): every token sees only those before it, and the end token's vector, which has seen all, is projected to an embedding.
/// So what follows the end token, padding above all, changes nothing, and no mask is needed.
/// </summary>
internal sealed class ClipText : TokenEncoder
{
    internal const string ModelType = "clip_text_model";

    /// <summary>What openai's configurations call their end token by mistake; there the largest id is the end token.</summary>
    private const int MistakenEnd = 2;

    private static readonly ClipSizes defaults = new(HiddenSize: 512, Layers: 12, Heads: 8, IntermediateSize: 2048, Projection: 512, Epsilon: 1e-5, Activation: "quick_gelu");

    private readonly ClipSizes sizes;
    private readonly int endId;
    private readonly Scalar endToken;
    private readonly Tensor words, positions, projection;
    private readonly IReadOnlyList<ClipLayer> layers;
    private readonly LayerNorm finalNorm;

    /// <param name="config"><c>config.json</c> of a whole CLIP or of this tower.</param>
    internal ClipText(JsonFile config, NamedWeights weights)
    {
        (JsonElement tower, int projectionSize) = ClipSizes.Find(config, ModelType, "text_config");
        sizes = ClipSizes.Read(config, tower, projectionSize, defaults);
        VocabularySize = ClipSizes.Int(config, tower, "vocab_size", 49408);
        MaxTokens = ClipSizes.Int(config, tower, "max_position_embeddings", 77);
        endId = ClipSizes.Int(config, tower, "eos_token_id", 49407);
        endToken = endId.ToScalar();
        if (endId >= VocabularySize) throw config.Bad($"eos_token_id {endId} is outside the vocabulary of {VocabularySize}");

        words = weights.Take("text_model.embeddings.token_embedding.weight", VocabularySize, sizes.HiddenSize);
        positions = weights.Take("text_model.embeddings.position_embedding.weight", MaxTokens, sizes.HiddenSize);
        layers = ClipLayer.Read(weights, "text_model", sizes, causal: true);
        finalNorm = new LayerNorm(weights, "text_model.final_layer_norm", sizes.HiddenSize, sizes.Epsilon);
        projection = weights.Take("text_projection.weight", sizes.Projection, sizes.HiddenSize);
    }

    /// <summary>Length of an embedding.</summary>
    internal override int HiddenSize => sizes.Projection;
    internal override int MaxTokens { get; }
    internal override int VocabularySize { get; }

    /// <summary>Nothing before it sees it; it must not be the largest id where that is the end.</summary>
    internal override int PadId => endId == MistakenEnd ? 0 : endId;
    internal override int LayerCount => sizes.Layers;
    internal override int HeadCount => sizes.Heads;
    internal override string Settings => $"clip text {VocabularySize} {MaxTokens} {endId} {sizes}";
    internal override bool PoolsItself => true;

    /// <summary>Its layers are of another kind.</summary>
    internal override IReadOnlyList<PostNormLayer> Layers => [];

    internal override Tensor Embed(Tensor ids, Tensor positionIds)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor word = words.index_select(0, ids.flatten());                                     // [texts × tokens, hidden]
        Tensor position = positions.index_select(0, positionIds.flatten());
        return word.Plus(position).view(ids.shape[0], ids.shape[1], sizes.HiddenSize).MoveToOuterDisposeScope();
    }

    /// <param name="batch">Each text with an end token.</param>
    /// <param name="hidden">Told each layer's output, beginning with the embeddings.</param>
    /// <returns>[texts, 1, projection]: the embedding stands for all tokens.</returns>
    internal override Tensor Forward(PaddedTokens batch, Action<Tensor>? hidden = null)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = ClipLayer.Forward(layers, Embed(batch.Ids, batch.Positions), hidden);        // [texts, tokens, hidden]
        long texts = x.shape[0];
        Tensor end = (endId == MistakenEnd ? batch.Ids : batch.Ids.eq(endToken).to_type(ScalarType.Int64)).argmax(1); // [texts]: place of the first such token
        Tensor pooled = x.gather(1, end.view(texts, 1, 1).expand(texts, 1, sizes.HiddenSize));  // [texts, 1, hidden]
        return linear(finalNorm.Forward(pooled), projection, null!).MoveToOuterDisposeScope();
    }
}
