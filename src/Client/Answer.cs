namespace BeeFormer.Streaming.Client;

/// <summary>Every answer names the model and the index that it came from; null before the first model serves.</summary>
public abstract record Answer
{
    /// <summary>Such as <c>000012-9f3ab07c</c>.</summary>
    public string? ModelVersion { get; init; }

    /// <summary>SHA-256 over all that decides a vector; vectors compare exactly where it is equal.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>Grows by one with each switch of the index.</summary>
    public long? IndexGeneration { get; init; }
}
