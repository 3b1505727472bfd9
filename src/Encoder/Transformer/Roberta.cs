using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// RoBERTa (Liu et al. 2019) and XLM-R (Conneau et al. 2019): BERT's layers. Positions count the tokens that are not padding, from the row after the padding's own;
/// a padding token written in a text takes the padding's row.
/// </summary>
internal sealed class Roberta : TokenEncoder
{
    private readonly TransformerSizes sizes;
    private readonly Tensor words, positions, tokenTypes;
    private readonly LayerNorm norm;

    internal Roberta(JsonFile config, NamedWeights weights)
    {
        sizes = TransformerSizes.Read(config, padId: 1);
        if (sizes.Positions <= sizes.PadId + 1) throw config.Bad($"'max_position_embeddings' is {sizes.Positions}; expected more than pad_token_id + 1 = {sizes.PadId + 1}");
        words = weights.Take("embeddings.word_embeddings.weight", sizes.VocabularySize, sizes.HiddenSize);
        positions = weights.Take("embeddings.position_embeddings.weight", sizes.Positions, sizes.HiddenSize);
        tokenTypes = weights.Take("embeddings.token_type_embeddings.weight", config.Int(config.Root, "type_vocab_size"), sizes.HiddenSize);
        norm = new LayerNorm(weights, "embeddings.LayerNorm", sizes.HiddenSize, sizes.Epsilon);
        Layers = ReadLayers(weights, sizes, PostNormNames.Bert);
    }

    internal override int HiddenSize => sizes.HiddenSize;
    internal override int MaxTokens => sizes.Positions - sizes.PadId - 1;
    internal override int VocabularySize => sizes.VocabularySize;
    internal override int PadId => sizes.PadId;
    internal override string Settings => $"roberta {sizes}";
    internal override IReadOnlyList<PostNormLayer> Layers { get; }

    internal override void Positions(ReadOnlySpan<int> ids, Span<long> positions) => PositionsAfterPadding(ids, positions, sizes.PadId);

    /// <summary>1, 2, 3 … beyond the padding's row for what is not padding.</summary>
    internal static void PositionsAfterPadding(ReadOnlySpan<int> ids, Span<long> positions, int padId)
    {
        int seen = 0;
        for (int i = 0; i < ids.Length; i++) positions[i] = ids[i] == padId ? padId : padId + ++seen;
    }

    internal override Tensor Embed(Tensor ids, Tensor positionIds)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor word = words.index_select(0, ids.flatten());                                     // [texts × tokens, hidden]
        Tensor position = positions.index_select(0, positionIds.flatten());
        Tensor type = tokenTypes.narrow(0, 0, 1);                                               // [1, hidden]
        return norm.Forward(word.Plus(position.Plus(type))).view(ids.shape[0], ids.shape[1], HiddenSize).MoveToOuterDisposeScope();
    }
}
