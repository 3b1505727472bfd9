using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// One layer of either tower of CLIP (Radford et al. 2021): self-attention, then a feed-forward network, each behind a LayerNorm and added to what went in.
/// There is no dropout, in training neither: a pass run twice gives the same values.
/// </summary>
internal sealed class ClipLayer(NamedWeights weights, string name, ClipSizes sizes, bool causal)
{
    private readonly LayerNorm attentionNorm = new(weights, $"{name}.layer_norm1", sizes.HiddenSize, sizes.Epsilon);
    private readonly Linear query = new(weights, $"{name}.self_attn.q_proj", sizes.HiddenSize, sizes.HiddenSize);
    private readonly Linear key = new(weights, $"{name}.self_attn.k_proj", sizes.HiddenSize, sizes.HiddenSize);
    private readonly Linear value = new(weights, $"{name}.self_attn.v_proj", sizes.HiddenSize, sizes.HiddenSize);
    private readonly Linear output = new(weights, $"{name}.self_attn.out_proj", sizes.HiddenSize, sizes.HiddenSize);
    private readonly LayerNorm networkNorm = new(weights, $"{name}.layer_norm2", sizes.HiddenSize, sizes.Epsilon);
    private readonly Linear up = new(weights, $"{name}.mlp.fc1", sizes.HiddenSize, sizes.IntermediateSize);
    private readonly Linear down = new(weights, $"{name}.mlp.fc2", sizes.IntermediateSize, sizes.HiddenSize);

    /// <param name="x">[inputs, tokens, hidden]</param>
    internal Tensor Forward(Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor seen = attentionNorm.Forward(x);
        Tensor mixed = scaled_dot_product_attention(Heads(query.Forward(seen)), Heads(key.Forward(seen)), Heads(value.Forward(seen)), is_casual: causal); // [inputs, heads, tokens, size]
        Tensor attended = output.Forward(mixed.transpose(1, 2).reshape(x.shape)).PlusInPlace(x);       // [inputs, tokens, hidden]
        Tensor wide = Activation.Apply(up.Forward(networkNorm.Forward(attended)), sizes.Activation); // [inputs, tokens, intermediate]
        return down.Forward(wide).PlusInPlace(attended).MoveToOuterDisposeScope();
    }

    /// <summary>[inputs, tokens, hidden] → [inputs, heads, tokens, hidden / heads]</summary>
    private Tensor Heads(Tensor x) => x.view(x.shape[0], x.shape[1], sizes.Heads, sizes.HiddenSize / sizes.Heads).transpose(1, 2);

    /// <summary>The layers of a tower. The configured number is only believed as far as their weights are there.</summary>
    internal static IReadOnlyList<ClipLayer> Read(NamedWeights weights, string tower, ClipSizes sizes, bool causal)
    {
        var layers = new List<ClipLayer>();
        for (int layer = 0; layer < sizes.Layers; layer++) layers.Add(new ClipLayer(weights, $"{tower}.encoder.layers.{layer}", sizes, causal));
        return layers;
    }

    /// <param name="hidden">Told what goes into the first layer and what comes out of each.</param>
    internal static Tensor Forward(IReadOnlyList<ClipLayer> layers, Tensor x, Action<Tensor>? hidden)
    {
        hidden?.Invoke(x);
        foreach (ClipLayer layer in layers)
        {
            Tensor next = layer.Forward(x);
            x.Dispose();
            x = next;
            hidden?.Invoke(x);
        }
        return x;
    }
}
