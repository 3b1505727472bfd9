using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace BeeFormer.Streaming.Encoder;

/// <summary>x Wᵀ + b, in the numbers of x: where these are bfloat16 the weights are rounded on the way, and their gradients are float32 again.</summary>
internal sealed class Linear(NamedWeights weights, string name, int from, int to)
{
    /// <summary>[to, from]</summary>
    internal Tensor Weight { get; } = weights.Take($"{name}.weight", to, from);

    /// <summary>[to]</summary>
    internal Tensor Bias { get; } = weights.Take($"{name}.bias", to);

    internal Tensor Forward(Tensor x)
    {
        if (x.dtype == Weight.dtype) return linear(x, Weight, Bias);
        using DisposeScope scope = NewDisposeScope();
        return linear(x, Weight.to_type(x.dtype), Bias.to_type(x.dtype)).MoveToOuterDisposeScope();
    }
}

/// <summary>Every row to mean 0 and variance 1, then scaled and moved (Ba et al. 2016).</summary>
internal sealed class LayerNorm(NamedWeights weights, string name, int size, double epsilon)
{
    internal Tensor Weight { get; } = weights.Take($"{name}.weight", size);
    internal Tensor Bias { get; } = weights.Take($"{name}.bias", size);
    internal double Epsilon => epsilon;

    internal Tensor Forward(Tensor x) => layer_norm(x, [size], Weight, Bias, epsilon);
}

/// <summary>The functions that <c>hidden_act</c> may name.</summary>
internal static class Activation
{
    internal static readonly IReadOnlyList<string> Names = ["gelu", "gelu_new", "gelu_pytorch_tanh", "quick_gelu", "relu", "silu"];
    private static readonly Scalar QuickSlope = 1.702.ToScalar();

    internal static Tensor Apply(Tensor x, string name) => name switch
    {
        "gelu" => x.gelu(),                                                                     // by erf
        "gelu_new" or "gelu_pytorch_tanh" => gelu(x, TorchSharp.Modules.GELU.Approximate.tanh),
        "quick_gelu" => x * (x * QuickSlope).sigmoid(),
        "relu" => x.relu(),
        _ => x.silu(),
    };
}
