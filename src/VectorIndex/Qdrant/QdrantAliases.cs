using Qdrant.Client.Grpc;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>Aliases. How often one has moved stands in the metadata of the collection that it points to, <c>generation.&lt;alias&gt;</c>, and is written there before the alias moves. One process at a time moves an alias.</summary>
internal sealed class QdrantAliases(QdrantCalls calls, QdrantCollections collections, QdrantOptions options)
{
    private static string Generation(string alias) => $"generation.{alias}";

    public async Task<AliasTarget?> ResolveAsync(string alias, CancellationToken cancellationToken)
    {
        string full = collections.Full(alias);
        var described = (await ListAsync(cancellationToken).ConfigureAwait(false)).FirstOrDefault(one => one.AliasName == full);
        if (described is null || !described.CollectionName.StartsWith(options.Prefix, StringComparison.Ordinal)) return null;
        string collection = described.CollectionName[options.Prefix.Length..];
        if (await collections.GetAsync(collection, cancellationToken).ConfigureAwait(false) is not { } target) return null;
        long generation = target.Config.Metadata.TryGetValue(Generation(alias), out var noted) ? noted.IntegerValue : 1; // an alias that somebody set by hand
        return new AliasTarget(collection, generation);
    }

    public async Task<long> PointAsync(string alias, string collection, CancellationToken cancellationToken)
    {
        var current = await ResolveAsync(alias, cancellationToken).ConfigureAwait(false);
        if (current?.Collection == collection) return current.Generation;
        long generation = (current?.Generation ?? 0) + 1;
        await collections.NoteAsync(collection, new() { [Generation(alias)] = new Value { IntegerValue = generation } }, cancellationToken).ConfigureAwait(false);
        await UpdateAsync(collection, [Creation(alias, collection)], cancellationToken).ConfigureAwait(false);
        var moved = await ResolveAsync(alias, cancellationToken).ConfigureAwait(false);
        return moved == new AliasTarget(collection, generation) ? generation : throw new IOException($"Alias {alias} was pointed to {collection}, generation {generation}, and points to {moved?.ToString() ?? "nothing"}: something else moves it.");
    }

    /// <summary>Those of readers are none.</summary>
    public async Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken) =>
        [.. (await ListAsync(cancellationToken).ConfigureAwait(false)).Where(alias => alias.AliasName.StartsWith(options.Prefix, StringComparison.Ordinal) && alias.CollectionName.StartsWith(options.Prefix, StringComparison.Ordinal)
            && ReaderAlias.Until(alias.AliasName) is null).Select(alias => alias.AliasName[options.Prefix.Length..])];

    public async Task RemoveAsync(string alias, CancellationToken cancellationToken)
    {
        if (await ResolveAsync(alias, cancellationToken).ConfigureAwait(false) is not { } current) return;
        await UpdateAsync(current.Collection, [new() { DeleteAlias = new DeleteAlias { AliasName = collections.Full(alias) } }], cancellationToken).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<AliasDescription>> ListAsync(CancellationToken cancellationToken) =>
        (await calls.ReadAsync("Collections/ListAliases", null, call => calls.Collections.ListAliasesAsync(new ListAliasesRequest(), call), cancellationToken).ConfigureAwait(false)).Aliases;

    /// <summary>On an alias that exists this moves it: one action, with nothing that could be half done.</summary>
    public AliasOperations Creation(string alias, string collection) => new() { CreateAlias = new CreateAlias { AliasName = collections.Full(alias), CollectionName = collections.Full(collection) } };

    public async Task UpdateAsync(string collection, IEnumerable<AliasOperations> actions, CancellationToken cancellationToken)
    {
        var change = new ChangeAliases { Timeout = calls.WriteSeconds };
        change.Actions.AddRange(actions);
        await calls.WriteAsync("Collections/UpdateAliases", collection, call => calls.Collections.UpdateAliasesAsync(change, call), cancellationToken).ConfigureAwait(false);
    }
}
