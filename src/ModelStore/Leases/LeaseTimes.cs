namespace BeeFormer.Streaming.ModelStore;

/// <summary>
/// A holder renews and trusts its lease for a time that is shorter than the one for which others watch it unchanged, each by its own clock: machines' clocks are never compared.
/// At worst a lease is free for others <c>Look + Length + Look</c> after its holder's last sign: 26 s.
/// </summary>
internal static class LeaseTimes
{
    /// <summary>A record that did not change for this long has no holder any more.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromSeconds(22);
    /// <summary>A holder is sure for this long after it began to write its last sign.</summary>
    public static readonly TimeSpan Sure = TimeSpan.FromSeconds(16);
    public static readonly TimeSpan Renewal = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan Look = TimeSpan.FromSeconds(2);
}
