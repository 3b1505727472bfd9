using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Encoder;

/// <summary>Sums of tensors. TorchSharp's own <c>+</c> and <c>add_</c> make a number 1 that nobody holds (docs/decisions/0002-scalars-are-kept-alive.md).</summary>
public static class TensorSum
{
    private static readonly Scalar One = 1.ToScalar();

    public static Tensor Plus(this Tensor left, Tensor right) => left.add(right, One);

    /// <summary>left += right.</summary>
    public static Tensor PlusInPlace(this Tensor left, Tensor right) => left.add_(right, One);
}
