using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;

namespace BeeFormer.Streaming.Indexer;

/// <summary>How fast a build goes and when it will be done.</summary>
internal sealed class RebuildPace(CollectionInfo collection, TimeProvider time)
{
    private long _began;
    private long? _doneAtBegin;

    public ReindexProgressed At(long done, long total)
    {
        if (_doneAtBegin is not { } before)
        {
            (_began, _doneAtBegin) = (time.GetTimestamp(), done);
            return new ReindexProgressed(collection.Version, collection.Name, done, total);
        }
        double seconds = time.GetElapsedTime(_began).TotalSeconds;
        double? rate = seconds > 0 && done > before ? (done - before) / seconds : null;
        return new ReindexProgressed(collection.Version, collection.Name, done, total, rate, (total - done) / rate);
    }
}
