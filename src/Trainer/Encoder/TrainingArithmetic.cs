using BeeFormer.Streaming.Encoder;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Numbers that the encoder's layers compute in while it learns.</summary>
public enum TrainingArithmetic
{
    /// <summary><see cref="BFloat16"/> where the processor multiplies it (AVX512-BF16, AMX), else <see cref="Float32"/>: decided by the processor's kind, so that one machine always trains the same model.</summary>
    Auto,
    /// <summary>float32 throughout: what the published code computes.</summary>
    Float32,
    /// <summary>Activations and products in bfloat16 (8 bits of precision), sums, weights, their gradients and the loss in float32. Slow on processors that lack it.</summary>
    BFloat16,
}

internal static class TrainingArithmetics
{
    public static ScalarType ForLayers(this TrainingArithmetic arithmetic) => arithmetic switch
    {
        TrainingArithmetic.Float32 => ScalarType.Float32,
        TrainingArithmetic.BFloat16 => ScalarType.BFloat16,
        _ => SentenceEncoder.Supported.Contains(EncoderArithmetic.BFloat16) ? ScalarType.BFloat16 : ScalarType.Float32,
    };
}
