using Microsoft.Extensions.Logging;
using Qdrant.Client.Grpc;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>
/// Who reads from a collection, and whether it may go. A reader puts up its alias and then looks for a note that the collection is being dropped; who drops it puts up the note and then looks for aliases.
/// So at least one of the two sees the other.
/// </summary>
internal sealed class Readers(QdrantCollections collections, QdrantAliases aliases, TimeProvider time, ILogger logger)
{
    /// <summary>Time for which an alias keeps a collection, and after which it is renewed. The difference is what clocks may differ by, and calls may fail.</summary>
    public static readonly TimeSpan Term = TimeSpan.FromMinutes(5), RenewEvery = TimeSpan.FromMinutes(1);

    /// <summary>A note older than this is of somebody who has crashed.</summary>
    private static readonly TimeSpan DropTerm = TimeSpan.FromMinutes(1);
    private const string Dropping = "dropping_at";

    public async Task<IAsyncDisposable> HoldAsync(string collection, CancellationToken cancellationToken)
    {
        var expired = (await aliases.ListAsync(cancellationToken).ConfigureAwait(false))
            .Where(alias => alias.CollectionName == collections.Full(collection) && ReaderAlias.Until(alias.AliasName) < time.GetUtcNow()).Select(alias => Deletion(alias.AliasName));
        var reader = Guid.NewGuid();
        string alias = ReaderAlias.Of(collection, reader, time.GetUtcNow() + Term);
        await aliases.UpdateAsync(collection, [aliases.Creation(alias, collection), .. expired], cancellationToken).ConfigureAwait(false);
        var state = await collections.GetAsync(collection, cancellationToken).ConfigureAwait(false);
        if (state is null || IsBeingDropped(state))
        {
            await aliases.UpdateAsync(collection, [Deletion(collections.Full(alias))], cancellationToken).ConfigureAwait(false);
            throw new KeyNotFoundException($"Collection {collection} is being dropped.");
        }
        return new ReaderHold(alias, async old =>
        {
            string next = ReaderAlias.Of(collection, reader, time.GetUtcNow() + Term);
            await aliases.UpdateAsync(collection, [aliases.Creation(next, collection), Deletion(collections.Full(old))], CancellationToken.None).ConfigureAwait(false);
            return next;
        }, last => aliases.UpdateAsync(collection, [Deletion(collections.Full(last))], CancellationToken.None), RenewEvery, time, logger);
    }

    /// <returns>False: somebody reads from it, or an alias points to it, and it stays.</returns>
    public async Task<bool> DropAsync(string collection, CancellationToken cancellationToken)
    {
        if (await collections.FindAsync(collection, cancellationToken).ConfigureAwait(false) is null) return true;
        if (await IsKeptAsync(collection, cancellationToken).ConfigureAwait(false)) return false;
        await NoteDroppingAsync(collection, time.GetUtcNow(), cancellationToken).ConfigureAwait(false);
        if (await IsKeptAsync(collection, cancellationToken).ConfigureAwait(false))
        {
            await NoteDroppingAsync(collection, DateTimeOffset.UnixEpoch, cancellationToken).ConfigureAwait(false);
            return false;
        }
        await collections.DeleteAsync(collection, cancellationToken).ConfigureAwait(false);
        return true;
    }

    private async Task<bool> IsKeptAsync(string collection, CancellationToken cancellationToken) =>
        (await aliases.ListAsync(cancellationToken).ConfigureAwait(false)).Any(alias => alias.CollectionName == collections.Full(collection) && !(ReaderAlias.Until(alias.AliasName) < time.GetUtcNow()));

    private bool IsBeingDropped(global::Qdrant.Client.Grpc.CollectionInfo state) =>
        state.Config.Metadata.TryGetValue(Dropping, out var since) && time.GetUtcNow().ToUnixTimeSeconds() - since.IntegerValue < DropTerm.TotalSeconds;

    private Task NoteDroppingAsync(string collection, DateTimeOffset since, CancellationToken cancellationToken) =>
        collections.NoteAsync(collection, new() { [Dropping] = new Value { IntegerValue = since.ToUnixTimeSeconds() } }, cancellationToken);

    private static AliasOperations Deletion(string fullAlias) => new() { DeleteAlias = new DeleteAlias { AliasName = fullAlias } };
}
