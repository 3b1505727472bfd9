using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Encoder;

/// <summary>BERT (Devlin et al. 2018): MiniLM, BGE, E5 and GTE are of this architecture.</summary>
internal sealed class Bert : TokenEncoder
{
    private readonly TransformerSizes sizes;
    private readonly int typeCount;
    private readonly Tensor words, positions, tokenTypes;
    private readonly LayerNorm norm;

    internal Bert(JsonFile config, NamedWeights weights)
    {
        sizes = TransformerSizes.Read(config, padId: 0);
        typeCount = config.Int(config.Root, "type_vocab_size");
        words = weights.Take("embeddings.word_embeddings.weight", sizes.VocabularySize, sizes.HiddenSize);
        positions = weights.Take("embeddings.position_embeddings.weight", sizes.Positions, sizes.HiddenSize);
        tokenTypes = weights.Take("embeddings.token_type_embeddings.weight", typeCount, sizes.HiddenSize);
        norm = new LayerNorm(weights, "embeddings.LayerNorm", sizes.HiddenSize, sizes.Epsilon);
        Layers = ReadLayers(weights, sizes, PostNormNames.Bert);
    }

    internal override int HiddenSize => sizes.HiddenSize;
    internal override int MaxTokens => sizes.Positions;
    internal override int VocabularySize => sizes.VocabularySize;
    internal override int PadId => sizes.PadId;
    internal override string Settings => $"bert {sizes}, {typeCount} token types";
    internal override IReadOnlyList<PostNormLayer> Layers { get; }

    internal override Tensor Embed(Tensor ids, Tensor positionIds)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor word = words.index_select(0, ids.flatten());                                     // [texts × tokens, hidden]
        Tensor position = positions.index_select(0, positionIds.flatten());
        Tensor type = tokenTypes.narrow(0, 0, 1);                                               // [1, hidden]: a single text is all of type 0
        return norm.Forward(word.Plus(position.Plus(type))).view(ids.shape[0], ids.shape[1], HiddenSize).MoveToOuterDisposeScope();
    }
}
