using BeeFormer.Streaming.VectorIndex;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Indexer;

/// <summary>Drops what is no longer needed. A collection that somebody still reads stays and is tried again at later looks.</summary>
internal sealed class OldCollections(IVectorIndex index, string prefix, ILogger logger)
{
    // Unknown at start: a run before this one may have left some.
    private bool _mayBeLeft = true;

    /// <summary>Something was replaced: look again.</summary>
    public void Look() => _mayBeLeft = true;

    public async Task DropAsync(IReadOnlyCollection<string> kept, CancellationToken cancellationToken)
    {
        if (!_mayBeLeft) return;
        try
        {
            bool left = false;
            foreach (var collection in await index.ListAsync(cancellationToken))
                if (collection.Name.StartsWith(prefix, StringComparison.Ordinal) && !kept.Contains(collection.Name))
                    left |= !await index.DropAsync(collection.Name, cancellationToken);
            _mayBeLeft = left;
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            logger.LogWarning(failure, "Old collections could not be dropped; the next look tries again");
        }
    }
}
