using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// BERT (Devlin et al. 2018) as a plain function of its weights, blocks in order of use. There is no dropout, in training neither: a pass run twice gives the same values.
/// </summary>
internal sealed class Bert : TokenEncoder
{
    internal static readonly IReadOnlyList<string> Activations = ["gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu"];

    private readonly BertConfiguration sizes;
    private readonly Tensor words, positions, tokenTypes;
    private readonly LayerNorm embeddingNorm;
    private readonly Layer[] layers;

    internal Bert(BertConfiguration sizes, NamedWeights weights)
    {
        this.sizes = sizes;
        words = weights.Take("embeddings.word_embeddings.weight", sizes.VocabularySize, sizes.HiddenSize);
        positions = weights.Take("embeddings.position_embeddings.weight", sizes.MaxPositions, sizes.HiddenSize);
        tokenTypes = weights.Take("embeddings.token_type_embeddings.weight", sizes.TokenTypes, sizes.HiddenSize);
        embeddingNorm = new LayerNorm(weights, "embeddings.LayerNorm", sizes);
        // A list: the number of layers is only believed as far as their weights are there.
        var found = new List<Layer>();
        for (int i = 0; i < sizes.Layers; i++) found.Add(new Layer(weights, $"encoder.layer.{i}", sizes));
        layers = [.. found];
    }

    internal override int HiddenSize => sizes.HiddenSize;
    internal override int MaxPositions => sizes.MaxPositions;
    internal override int VocabularySize => sizes.VocabularySize;
    internal override int PadId => sizes.PadId;
    private static readonly Scalar MinusInfinity = float.NegativeInfinity.ToScalar();

    internal override string Settings => $"bert {sizes}";

    internal override Tensor Forward(Tensor ids, Tensor? mask, Action<Tensor>? hidden = null)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = Embed(ids);                                                                  // [texts, tokens, hidden]
        hidden?.Invoke(x);
        // Added to the attention scores: −∞ where a key is padding.
        Tensor? bias = mask is null ? null : zeros(mask.shape, device: ids.device).masked_fill_(mask.logical_not(), MinusInfinity)
            .unsqueeze(1).unsqueeze(1);                                                         // [texts, 1, 1, tokens]
        foreach (Layer layer in layers)
        {
            Tensor next = layer.Forward(x, bias);
            x.Dispose();
            x = next;
            hidden?.Invoke(x);
        }
        return x.MoveToOuterDisposeScope();
    }

    private Tensor Embed(Tensor ids)
    {
        using DisposeScope scope = NewDisposeScope();
        long tokens = ids.shape[1];
        Tensor word = words.index_select(0, ids.flatten()).view(ids.shape[0], tokens, HiddenSize); // [texts, tokens, hidden]
        Tensor position = positions.narrow(0, 0, tokens);                                       // [tokens, hidden], for every text
        Tensor type = tokenTypes.narrow(0, 0, 1);                                               // [1, hidden]: a single text is all of type 0
        return embeddingNorm.Forward(word + (position + type)).MoveToOuterDisposeScope();
    }

    private sealed class Layer(NamedWeights weights, string name, BertConfiguration sizes)
    {
        private readonly Attention attention = new(weights, $"{name}.attention", sizes);
        private readonly Linear up = new(weights, $"{name}.intermediate.dense", sizes.HiddenSize, sizes.IntermediateSize);
        private readonly Linear down = new(weights, $"{name}.output.dense", sizes.IntermediateSize, sizes.HiddenSize);
        private readonly LayerNorm norm = new(weights, $"{name}.output.LayerNorm", sizes);

        internal Tensor Forward(Tensor x, Tensor? bias)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor attended = attention.Forward(x, bias);
            Tensor wide = Activate(up.Forward(attended), sizes.Activation);                     // [texts, tokens, intermediate]
            return norm.Forward(down.Forward(wide).add_(attended)).MoveToOuterDisposeScope();
        }
    }

    private sealed class Attention(NamedWeights weights, string name, BertConfiguration sizes)
    {
        private readonly Linear query = new(weights, $"{name}.self.query", sizes.HiddenSize, sizes.HiddenSize);
        private readonly Linear key = new(weights, $"{name}.self.key", sizes.HiddenSize, sizes.HiddenSize);
        private readonly Linear value = new(weights, $"{name}.self.value", sizes.HiddenSize, sizes.HiddenSize);
        private readonly Linear output = new(weights, $"{name}.output.dense", sizes.HiddenSize, sizes.HiddenSize);
        private readonly LayerNorm norm = new(weights, $"{name}.output.LayerNorm", sizes);

        internal Tensor Forward(Tensor x, Tensor? bias)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor mixed = scaled_dot_product_attention(Heads(query.Forward(x)), Heads(key.Forward(x)), Heads(value.Forward(x)), bias); // [texts, heads, tokens, size]
            Tensor joined = mixed.transpose(1, 2).reshape(x.shape);                             // [texts, tokens, hidden]
            return norm.Forward(output.Forward(joined).add_(x)).MoveToOuterDisposeScope();
        }

        /// <summary>[texts, tokens, hidden] → [texts, heads, tokens, hidden / heads]</summary>
        private Tensor Heads(Tensor x) => x.view(x.shape[0], x.shape[1], sizes.Heads, sizes.HiddenSize / sizes.Heads).transpose(1, 2);
    }

    private sealed class Linear(NamedWeights weights, string name, int from, int to)
    {
        private readonly Tensor weight = weights.Take($"{name}.weight", to, from);
        private readonly Tensor bias = weights.Take($"{name}.bias", to);

        internal Tensor Forward(Tensor x) => linear(x, weight, bias);
    }

    private sealed class LayerNorm(NamedWeights weights, string name, BertConfiguration sizes)
    {
        private readonly Tensor weight = weights.Take($"{name}.weight", sizes.HiddenSize);
        private readonly Tensor bias = weights.Take($"{name}.bias", sizes.HiddenSize);

        internal Tensor Forward(Tensor x) => layer_norm(x, [sizes.HiddenSize], weight, bias, sizes.Epsilon);
    }

    private static Tensor Activate(Tensor x, string activation) => activation switch
    {
        "gelu" => x.gelu(),                                                                     // by erf
        "gelu_new" or "gelu_pytorch_tanh" => gelu(x, TorchSharp.Modules.GELU.Approximate.tanh),
        "relu" => x.relu(),
        _ => x.silu(),
    };
}
