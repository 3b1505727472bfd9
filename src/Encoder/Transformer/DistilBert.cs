using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Encoder;

/// <summary>DistilBERT (Sanh et al. 2019): BERT without token types, under names of its own.</summary>
internal sealed class DistilBert : TokenEncoder
{
    /// <summary>Not in its configuration.</summary>
    private const double Epsilon = 1e-12;

    private readonly TransformerSizes sizes;
    private readonly Tensor words, positions;
    private readonly LayerNorm norm;

    internal DistilBert(JsonFile config, NamedWeights weights)
    {
        sizes = new TransformerSizes(
            config.Int(config.Root, "dim"), config.Int(config.Root, "n_layers"), config.Int(config.Root, "n_heads"), config.Int(config.Root, "hidden_dim"),
            config.Int(config.Root, "vocab_size"), config.Int(config.Root, "max_position_embeddings"), TransformerSizes.OptionalInt(config, "pad_token_id", 0), Epsilon,
            config.Text(config.Root, "activation")).Checked(config);
        words = weights.Take("embeddings.word_embeddings.weight", sizes.VocabularySize, sizes.HiddenSize);
        positions = weights.Take("embeddings.position_embeddings.weight", sizes.Positions, sizes.HiddenSize);
        norm = new LayerNorm(weights, "embeddings.LayerNorm", sizes.HiddenSize, sizes.Epsilon);
        Layers = ReadLayers(weights, sizes, layer => new PostNormNames(
            $"transformer.layer.{layer}.attention.q_lin", $"transformer.layer.{layer}.attention.k_lin", $"transformer.layer.{layer}.attention.v_lin",
            $"transformer.layer.{layer}.attention.out_lin", $"transformer.layer.{layer}.sa_layer_norm",
            $"transformer.layer.{layer}.ffn.lin1", $"transformer.layer.{layer}.ffn.lin2", $"transformer.layer.{layer}.output_layer_norm"));
    }

    internal override int HiddenSize => sizes.HiddenSize;
    internal override int MaxTokens => sizes.Positions;
    internal override int VocabularySize => sizes.VocabularySize;
    internal override int PadId => sizes.PadId;
    internal override string Settings => $"distilbert {sizes}";
    internal override IReadOnlyList<PostNormLayer> Layers { get; }

    internal override Tensor Embed(Tensor ids, Tensor positionIds)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor word = words.index_select(0, ids.flatten());                                     // [texts × tokens, hidden]
        Tensor position = positions.index_select(0, positionIds.flatten());
        return norm.Forward(word.Plus(position)).view(ids.shape[0], ids.shape[1], HiddenSize).MoveToOuterDisposeScope();
    }
}
