using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Indexer;

/// <summary>An alias and the model whose collection it has to name: the live one, or one that a variant is pinned to.</summary>
/// <param name="wanted">Null: none yet.</param>
internal sealed class Lane(string alias, Func<ModelVersion?> wanted, IndexRepair repair, TimeProvider time)
{
    private (long At, TimeSpan Delay)? _failed;

    public string Alias => alias;
    public ModelVersion? Wanted => wanted();
    public IndexRepair Repair => repair;

    /// <summary>False: it failed, and the time for the next attempt has not come.</summary>
    public bool IsDue => _failed is not { } failed || time.GetElapsedTime(failed.At) >= failed.Delay;

    public void Succeeded() => _failed = null;

    /// <returns>Time until the next attempt: twice the one before.</returns>
    public TimeSpan Failed(TimeSpan first, TimeSpan longest)
    {
        TimeSpan delay = _failed is not { } before ? first : before.Delay * 2 < longest ? before.Delay * 2 : longest;
        _failed = (time.GetTimestamp(), delay);
        return delay;
    }
}
