using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// One layer of a transformer encoder as Vaswani et al. (2017) drew it and BERT and its descendants kept it: self-attention, then a feed-forward network,
/// each followed by adding what went in and a LayerNorm. There is no dropout, in training neither: a pass run twice gives the same values.
/// </summary>
internal sealed class PostNormLayer(NamedWeights weights, PostNormNames names, TransformerSizes sizes)
{
    internal Linear Query { get; } = new(weights, names.Query, sizes.HiddenSize, sizes.HiddenSize);
    internal Linear Key { get; } = new(weights, names.Key, sizes.HiddenSize, sizes.HiddenSize);
    internal Linear Value { get; } = new(weights, names.Value, sizes.HiddenSize, sizes.HiddenSize);
    internal Linear Output { get; } = new(weights, names.Output, sizes.HiddenSize, sizes.HiddenSize);
    internal LayerNorm AttentionNorm { get; } = new(weights, names.AttentionNorm, sizes.HiddenSize, sizes.Epsilon);
    internal Linear Up { get; } = new(weights, names.Up, sizes.HiddenSize, sizes.IntermediateSize);
    internal Linear Down { get; } = new(weights, names.Down, sizes.IntermediateSize, sizes.HiddenSize);
    internal LayerNorm OutputNorm { get; } = new(weights, names.OutputNorm, sizes.HiddenSize, sizes.Epsilon);

    internal int Heads => sizes.Heads;
    internal string Activation => sizes.Activation;

    /// <summary>Weights that every token is multiplied with.</summary>
    internal long WeightCount => Linears.Sum(linear => linear.Weight.numel());

    /// <summary>All that can learn.</summary>
    internal IEnumerable<Tensor> Parameters => [.. Linears.SelectMany(l => new[] { l.Weight, l.Bias }), AttentionNorm.Weight, AttentionNorm.Bias, OutputNorm.Weight, OutputNorm.Bias];

    private Linear[] Linears => [Query, Key, Value, Output, Up, Down];

    /// <param name="x">[texts, tokens, hidden]</param>
    /// <param name="bias">Added to the attention scores [texts, heads, tokens, tokens], its dimensions of size 1 stretched; null for none.</param>
    internal Tensor Forward(Tensor x, Tensor? bias)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor mixed = scaled_dot_product_attention(Split(Query.Forward(x)), Split(Key.Forward(x)), Split(Value.Forward(x)), bias); // [texts, heads, tokens, size]
        Tensor joined = mixed.transpose(1, 2).reshape(x.shape);                                 // [texts, tokens, hidden]
        Tensor attended = AttentionNorm.Forward(Output.Forward(joined).PlusInPlace(x));
        Tensor wide = Encoder.Activation.Apply(Up.Forward(attended), sizes.Activation);                 // [texts, tokens, intermediate]
        return OutputNorm.Forward(Down.Forward(wide).PlusInPlace(attended)).MoveToOuterDisposeScope();
    }

    /// <summary>[texts, tokens, hidden] → [texts, heads, tokens, hidden / heads]</summary>
    private Tensor Split(Tensor x) => x.view(x.shape[0], x.shape[1], sizes.Heads, sizes.HiddenSize / sizes.Heads).transpose(1, 2);
}

/// <summary>What an architecture calls the weights of a layer, without <c>.weight</c> and <c>.bias</c>.</summary>
internal sealed record PostNormNames(string Query, string Key, string Value, string Output, string AttentionNorm, string Up, string Down, string OutputNorm)
{
    /// <summary>BERT's own names, which RoBERTa kept.</summary>
    internal static PostNormNames Bert(int layer) => new(
        $"encoder.layer.{layer}.attention.self.query", $"encoder.layer.{layer}.attention.self.key", $"encoder.layer.{layer}.attention.self.value",
        $"encoder.layer.{layer}.attention.output.dense", $"encoder.layer.{layer}.attention.output.LayerNorm",
        $"encoder.layer.{layer}.intermediate.dense", $"encoder.layer.{layer}.output.dense", $"encoder.layer.{layer}.output.LayerNorm");
}
