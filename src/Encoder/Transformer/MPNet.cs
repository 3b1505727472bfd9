using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// MPNet (Song et al. 2020): BERT without token types, positions as in RoBERTa, and in every layer the same learned bias on the attention scores by the bucket of
/// the distance between query and key (Raffel et al. 2020, bidirectional: exact up to 7, then logarithmic up to 128).
/// </summary>
internal sealed class MPNet : TokenEncoder
{
    private const int FarthestDistance = 128;

    private readonly TransformerSizes sizes;
    private readonly int buckets;
    private readonly Tensor words, positions, relativeBias;
    private readonly LayerNorm norm;

    internal MPNet(JsonFile config, NamedWeights weights)
    {
        sizes = TransformerSizes.Read(config, padId: 1);
        if (sizes.Positions <= sizes.PadId + 1) throw config.Bad($"'max_position_embeddings' is {sizes.Positions}; expected more than pad_token_id + 1 = {sizes.PadId + 1}");
        buckets = TransformerSizes.OptionalInt(config, "relative_attention_num_buckets", 32);
        if (buckets < 4 || buckets % 4 != 0 || buckets > 2 * FarthestDistance) throw config.Bad($"'relative_attention_num_buckets' is {buckets}; expected a multiple of 4 from 4 to {2 * FarthestDistance}");
        words = weights.Take("embeddings.word_embeddings.weight", sizes.VocabularySize, sizes.HiddenSize);
        positions = weights.Take("embeddings.position_embeddings.weight", sizes.Positions, sizes.HiddenSize);
        norm = new LayerNorm(weights, "embeddings.LayerNorm", sizes.HiddenSize, sizes.Epsilon);
        relativeBias = weights.Take("encoder.relative_attention_bias.weight", buckets, sizes.Heads);
        Layers = ReadLayers(weights, sizes, layer => new PostNormNames(
            $"encoder.layer.{layer}.attention.attn.q", $"encoder.layer.{layer}.attention.attn.k", $"encoder.layer.{layer}.attention.attn.v",
            $"encoder.layer.{layer}.attention.attn.o", $"encoder.layer.{layer}.attention.LayerNorm",
            $"encoder.layer.{layer}.intermediate.dense", $"encoder.layer.{layer}.output.dense", $"encoder.layer.{layer}.output.LayerNorm"));
    }

    internal override int HiddenSize => sizes.HiddenSize;
    internal override int MaxTokens => sizes.Positions - sizes.PadId - 1;
    internal override int VocabularySize => sizes.VocabularySize;
    internal override int PadId => sizes.PadId;
    internal override string Settings => $"mpnet {sizes}, {buckets} buckets";
    internal override IReadOnlyList<PostNormLayer> Layers { get; }

    internal override void Positions(ReadOnlySpan<int> ids, Span<long> positions) => Roberta.PositionsAfterPadding(ids, positions, sizes.PadId);

    internal override Tensor Embed(Tensor ids, Tensor positionIds)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor word = words.index_select(0, ids.flatten());                                     // [texts × tokens, hidden]
        Tensor position = positions.index_select(0, positionIds.flatten());
        return norm.Forward(word.Plus(position)).view(ids.shape[0], ids.shape[1], HiddenSize).MoveToOuterDisposeScope();
    }

    internal override bool HasRelativeBias => true;

    internal override Tensor RelativeBias(int tokens)
    {
        using DisposeScope scope = NewDisposeScope();
        var bucketOf = new long[2 * tokens - 1];                                                // by distance + tokens − 1
        for (int i = 0; i < bucketOf.Length; i++) bucketOf[i] = Bucket(i - (tokens - 1), buckets);
        var rows = new long[tokens * tokens];
        for (int query = 0; query < tokens; query++) bucketOf.AsSpan(tokens - 1 - query, tokens).CopyTo(rows.AsSpan(query * tokens, tokens));
        return relativeBias.index_select(0, tensor(rows, device: relativeBias.device))          // [tokens × tokens, heads]
            .view(tokens, tokens, sizes.Heads).permute(2, 0, 1).unsqueeze(0).contiguous().MoveToOuterDisposeScope();
    }

    /// <param name="distance">Position of the key minus position of the query.</param>
    internal static int Bucket(int distance, int buckets)
    {
        int half = buckets / 2, exact = half / 2;
        int side = distance > 0 ? half : 0;
        int far = Math.Abs(distance);
        if (far < exact) return side + far;
        int logarithmic = exact + (int)(MathF.Log((float)far / exact) / MathF.Log((float)FarthestDistance / exact) * (half - exact));
        return side + Math.Min(half - 1, logarithmic);
    }
}
