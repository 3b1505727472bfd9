using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Encoder;

/// <summary>A transformer that turns token ids into one vector a token: the part of an encoder that differs between architectures.</summary>
internal abstract class TokenEncoder
{
    private static readonly Scalar MinusInfinity = float.NegativeInfinity.ToScalar();

    /// <summary>Length of a token's vector.</summary>
    internal abstract int HiddenSize { get; }

    /// <summary>Most tokens of a text that its positions reach.</summary>
    internal abstract int MaxTokens { get; }

    internal abstract int VocabularySize { get; }

    /// <summary>Fills up the shorter texts of a batch; masked, so any id of the vocabulary would do.</summary>
    internal abstract int PadId { get; }

    /// <summary>All settings that decide its output, for the fingerprint.</summary>
    internal abstract string Settings { get; }

    /// <summary>Whether it gives one vector a text instead of one a token, so that no Pooling follows.</summary>
    internal virtual bool PoolsItself => false;

    /// <summary>In order of use.</summary>
    internal abstract IReadOnlyList<PostNormLayer> Layers { get; }

    internal virtual int LayerCount => Layers.Count;

    /// <summary>Attention heads of a layer.</summary>
    internal virtual int HeadCount => Layers[0].Heads;

    /// <summary>Word, position and what else an architecture adds, normalised.</summary>
    /// <param name="ids">[texts, tokens] int64.</param>
    /// <param name="positions">Row of the position table for each id, as <see cref="Positions"/> gives them; same shape.</param>
    /// <returns>[texts, tokens, hidden]</returns>
    internal abstract Tensor Embed(Tensor ids, Tensor positions);

    /// <summary>Rows of the position table for the tokens of one text.</summary>
    internal virtual void Positions(ReadOnlySpan<int> ids, Span<long> positions)
    {
        for (int i = 0; i < ids.Length; i++) positions[i] = i;
    }

    internal virtual bool HasRelativeBias => false;

    /// <summary>What a query's distance to a key adds to the attention scores of every layer: [1, heads, tokens, tokens]; null where an architecture has nothing of the kind.</summary>
    internal virtual Tensor? RelativeBias(int tokens) => null;

    /// <param name="hidden">Told each layer's output, beginning with the embeddings.</param>
    /// <returns>[texts, tokens, hidden]</returns>
    internal virtual Tensor Forward(PaddedTokens batch, Action<Tensor>? hidden = null)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = Embed(batch.Ids, batch.Positions);                                           // [texts, tokens, hidden]
        hidden?.Invoke(x);
        return Through(x, batch, 0, Layers.Count, hidden).MoveToOuterDisposeScope();
    }

    /// <summary>The output of the embeddings and the first layers.</summary>
    internal Tensor Lower(PaddedTokens batch, int layers)
    {
        using DisposeScope scope = NewDisposeScope();
        return Through(Embed(batch.Ids, batch.Positions), batch, 0, layers).MoveToOuterDisposeScope();
    }

    /// <summary>Layers <paramref name="from"/> to <paramref name="to"/> (not included).</summary>
    /// <param name="x">[texts, tokens, hidden], float32 or bfloat16: the layers compute in its numbers. What stands at padding does not matter.</param>
    internal Tensor Through(Tensor x, PaddedTokens batch, int from, int to, Action<Tensor>? hidden = null)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor? bias = RelativeBias((int)batch.Ids.shape[1])?.to_type(x.dtype);
        // Added to the attention scores: −∞ where a key is padding.
        if (batch.Mask is { } mask)
        {
            Tensor padding = zeros(mask.shape, x.dtype, x.device).masked_fill_(mask.logical_not(), MinusInfinity).unsqueeze(1).unsqueeze(1); // [texts, 1, 1, tokens]
            bias = bias is null ? padding : bias.Plus(padding);                                   // [texts, heads, tokens, tokens]
        }
        for (int layer = from; layer < to; layer++)
        {
            x = Layers[layer].Forward(x, bias);
            hidden?.Invoke(x);
        }
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>The layers that the configuration asks for. It is only believed as far as their weights are there.</summary>
    private protected static IReadOnlyList<PostNormLayer> ReadLayers(NamedWeights weights, TransformerSizes sizes, Func<int, PostNormNames> names)
    {
        var layers = new List<PostNormLayer>();
        for (int layer = 0; layer < sizes.Layers; layer++) layers.Add(new PostNormLayer(weights, names(layer), sizes));
        return layers;
    }

    /// <summary>The architecture that <c>config.json</c> names.</summary>
    internal static TokenEncoder Of(JsonFile config, NamedWeights weights) => JsonFile.OptionalText(config.Root, "model_type") switch
    {
        "bert" => new Bert(config, weights),
        "distilbert" => new DistilBert(config, weights),
        "roberta" or "xlm-roberta" => new Roberta(config, weights),
        "mpnet" => new MPNet(config, weights),
        ClipSizes.Both => new ClipText(config, weights),
        var other => throw config.Bad($"architecture '{other}' is not supported; expected model_type bert, distilbert, roberta, xlm-roberta, mpnet or clip"),
    };
}
