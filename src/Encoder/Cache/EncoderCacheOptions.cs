using System.ComponentModel.DataAnnotations;

namespace BeeFormer.Streaming.Encoder;

/// <summary>Section <c>Cache</c>.</summary>
public sealed class EncoderCacheOptions
{
    public const string Section = "Cache";

    /// <summary>Most bytes of encoder outputs on disk; beyond it, outputs of encoders that are no longer used go first, then the oldest. Default 10 GiB, at least 64 MiB.</summary>
    [Range(64 << 20, double.MaxValue)]
    public long MaxBytes { get; set; } = EncoderOutputCache.DefaultMaxBytes;
}
