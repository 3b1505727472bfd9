using System.Text.RegularExpressions;
using BeeFormer.Streaming.Contracts;
using Grpc.Core;
using Qdrant.Client.Grpc;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>Collections and what their metadata says: <c>name, fingerprint, version, dimension</c>. It is written last, so that a collection with metadata has its payload indexes and one without is nobody's.</summary>
internal sealed partial class QdrantCollections(QdrantCalls calls, QdrantOptions options)
{
    private const string Name = "name", FingerprintKey = "fingerprint", VersionKey = "version", DimensionKey = "dimension";

    /// <summary>As the server knows it.</summary>
    public string Full(string name) => options.Prefix + name;

    /// <summary>Creates the collection, or finishes one that a crash left without metadata.</summary>
    public async Task CreateAsync(CollectionInfo collection, CancellationToken cancellationToken)
    {
        if (!CollectionName().IsMatch(collection.Name)) throw new ArgumentException($"\"{collection.Name}\" is not a collection name; expected 1 to 100 letters, digits, dots, dashes or underscores, not starting with a dot.", nameof(collection));
        if (collection.Dimension is < 1 or > 65536) throw new ArgumentException($"Dimension {collection.Dimension} is not in 1 to 65536.", nameof(collection));
        var found = await GetAsync(collection.Name, cancellationToken).ConfigureAwait(false);
        if (found is null)
        {
            try
            {
                await calls.WriteAsync("Collections/Create", null, call => calls.Collections.CreateAsync(NewCollection.Of(Full(collection.Name), collection.Dimension, options, calls.WriteSeconds), call), cancellationToken).ConfigureAwait(false);
            }
            catch (IOException e) when (e.InnerException is RpcException { StatusCode: StatusCode.AlreadyExists }) // by another, or by an attempt whose answer was lost
            {
                await CreateAsync(collection, cancellationToken).ConfigureAwait(false);
                return;
            }
        }
        else if (Info(found) is { } existing)
        {
            if (existing == collection) return;
            throw new InvalidOperationException($"Collection {collection.Name} exists with other properties: {existing}.");
        }
        else if (found.PointsCount > 0 || found.Config.Params.VectorsConfig?.Params?.Size != (ulong)collection.Dimension)
        {
            throw new InvalidOperationException($"Collection {Full(collection.Name)} exists in Qdrant with other properties: it was not made by an index of items.");
        }

        foreach (var index in NewCollection.PayloadIndexes(Full(collection.Name), options, calls.WriteSeconds))
            await calls.ApplyAsync("Points/CreateFieldIndex", collection.Name, wait: true, call => calls.Points.CreateFieldIndexAsync(index, call), cancellationToken).ConfigureAwait(false);
        await NoteAsync(collection.Name, new()
        {
            [Name] = new Value { StringValue = collection.Name },
            [FingerprintKey] = new Value { StringValue = collection.Fingerprint.Value },
            [VersionKey] = new Value { StringValue = collection.Version.Value },
            [DimensionKey] = new Value { IntegerValue = collection.Dimension },
        }, cancellationToken).ConfigureAwait(false);
    }

    public async Task<CollectionInfo?> FindAsync(string name, CancellationToken cancellationToken) =>
        await GetAsync(name, cancellationToken).ConfigureAwait(false) is { } found && Info(found) is { } info && info.Name == name ? info : null; // by an alias it has another name

    public async Task<IReadOnlyList<CollectionInfo>> ListAsync(CancellationToken cancellationToken)
    {
        var answer = await calls.ReadAsync("Collections/List", null, call => calls.Collections.ListAsync(new ListCollectionsRequest(), call), cancellationToken).ConfigureAwait(false);
        var infos = new List<CollectionInfo>();
        foreach (var collection in answer.Collections)
            if (collection.Name.StartsWith(options.Prefix, StringComparison.Ordinal) && await FindAsync(collection.Name[options.Prefix.Length..], cancellationToken).ConfigureAwait(false) is { } info) infos.Add(info);
        return [.. infos.OrderBy(info => info.Name, StringComparer.Ordinal)];
    }

    /// <returns>Null when there is none.</returns>
    public async Task<global::Qdrant.Client.Grpc.CollectionInfo?> GetAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return (await calls.ReadAsync("Collections/Get", name, call => calls.Collections.GetAsync(new GetCollectionInfoRequest { CollectionName = Full(name) }, call), cancellationToken).ConfigureAwait(false)).Result;
        }
        catch (KeyNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Adds to the metadata; other keys stay.</summary>
    public Task NoteAsync(string name, Dictionary<string, Value> notes, CancellationToken cancellationToken)
    {
        var update = new UpdateCollection { CollectionName = Full(name), Timeout = calls.WriteSeconds };
        foreach (var (key, value) in notes) update.Metadata[key] = value;
        return UpdateAsync(name, update, cancellationToken);
    }

    public Task UpdateAsync(string name, UpdateCollection update, CancellationToken cancellationToken) =>
        calls.WriteAsync("Collections/Update", name, call => calls.Collections.UpdateAsync(update, call), cancellationToken);

    public Task DeleteAsync(string name, CancellationToken cancellationToken) =>
        calls.WriteAsync("Collections/Delete", null, call => calls.Collections.DeleteAsync(new DeleteCollection { CollectionName = Full(name), Timeout = calls.WriteSeconds }, call), cancellationToken);

    private static CollectionInfo? Info(global::Qdrant.Client.Grpc.CollectionInfo found) =>
        Text(found, Name) is { } name && Text(found, FingerprintKey) is { } fingerprint && Text(found, VersionKey) is { } version && found.Config.Params.VectorsConfig?.Params?.Size is { } size and <= 65536
            ? new CollectionInfo(name, (int)size, new Fingerprint(fingerprint), new ModelVersion(version)) : null;

    private static string? Text(global::Qdrant.Client.Grpc.CollectionInfo found, string key) =>
        found.Config.Metadata.TryGetValue(key, out var value) && value.KindCase == Value.KindOneofCase.StringValue ? value.StringValue : null;

    [GeneratedRegex(@"\A[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}\z")]
    private static partial Regex CollectionName();
}
