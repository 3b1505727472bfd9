namespace BeeFormer.Streaming.ModelStore.S3;

/// <summary>How old objects are, by the server's clock, when nobody stands behind them any more.</summary>
/// <param name="Abandoned">Objects that belong to no version: a publication left them that died. Default a day.</param>
/// <param name="Ended">The sign that a version is in use: its process has ended. Default five minutes; a sign is given every <see cref="VersionUses.Sign"/>.</param>
internal sealed record ObjectAges(TimeSpan Abandoned, TimeSpan Ended)
{
    public ObjectAges() : this(TimeSpan.FromDays(1), TimeSpan.FromMinutes(5)) { }
}
