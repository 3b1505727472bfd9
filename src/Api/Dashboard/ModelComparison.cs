using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.VectorIndex;

namespace BeeFormer.Streaming.Api;

/// <summary>Answers one question by the vectors of any model whose collection the index still holds, the model alone deciding. A model that does not serve is loaded for the question: one at a time.</summary>
internal sealed class ModelComparison(IVectorIndex index, LoadQueryEmbedder load, ServingPairs pairs, Recommender recommender, TimeProvider time) : IDisposable
{
    /// <summary>Longest time that loading a model, waiting for one's turn included, may take.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Beyond so many that are no longer there, an answer may be shorter than asked for.</summary>
    private const int MostSearched = 10_000;

    private static readonly RankingOptions ModelAlone = new() { Popularity = 0, History = 0 };

    private readonly SemaphoreSlim _loading = new(1);

    /// <returns>Null: the index holds no collection of this model.</returns>
    /// <exception cref="TimeoutException">Another model could not be loaded in time.</exception>
    /// <exception cref="InvalidDataException">The model is damaged.</exception>
    public async Task<ModelRanking?> RankAsync(ModelVersion version, ComparedQuery query, int k, CancellationToken cancellationToken)
    {
        var collection = (await index.ListAsync(cancellationToken)).FirstOrDefault(one => one.Version == version);
        if (collection is null) return null;
        try
        {
            await using var held = await index.HoldAsync(collection.Name, cancellationToken);
            var (vector, own) = await VectorAsync(collection, query, cancellationToken);
            IReadOnlyList<RankedItem> items = vector is null ? [] : await ShownAsync(collection, vector, own, k, cancellationToken);
            return new ModelRanking(version.Value, collection.Fingerprint.Value, collection.Name, items);
        }
        catch (KeyNotFoundException)
        {
            return null; // dropped this very moment
        }
    }

    /// <summary>A collection that does not serve gets no events any more: what it finds must still be there for the one that does.</summary>
    private async Task<IReadOnlyList<RankedItem>> ShownAsync(CollectionInfo collection, float[] vector, IReadOnlyCollection<ItemId> own, int k, CancellationToken cancellationToken)
    {
        using var serving = pairs.Enter();
        if (serving is null) return [];
        for (int wanted = k; ; wanted *= 2)
        {
            var found = await index.SearchAsync(collection.Name, new QueryVector(collection.Fingerprint, vector), wanted, serving.Shown(ItemFilter.None.Without(own.ToHashSet())), cancellationToken);
            var there = (await recommender.ShownAsync(serving, [.. found.Select(item => item.Id)], cancellationToken)).ToDictionary(item => item.Id, item => item.Title);
            var shown = found.Where(item => there.ContainsKey(item.Id) && !serving.Hides(item.Id)).ToList();
            if (shown.Count >= k || found.Count < wanted || wanted > MostSearched)
                return [.. shown.Take(k).Select(item => new RankedItem(item.Id.Value, there[item.Id], item.Score, null))];
        }
    }

    /// <returns>Null: the collection holds nothing of what was asked about. Own: items that are no answer, being the question.</returns>
    private async Task<(float[]? Vector, IReadOnlyCollection<ItemId> Own)> VectorAsync(CollectionInfo collection, ComparedQuery query, CancellationToken cancellationToken)
    {
        if (query.Text is { } text) return (await EmbedAsync(collection.Version, text, cancellationToken), []);
        var taste = query.User is { } user ? await recommender.TasteOfAsync(user, ModelAlone, cancellationToken) : recommender.TasteOf(query.Items);
        var vectors = (await index.FetchAsync(collection.Name, [.. taste.Items.Select(item => item.Item)], cancellationToken)).ToDictionary(item => item.Id, item => item.Vector);
        return (UserVector.Sum(taste.Items, item => vectors.TryGetValue(item, out var vector) ? vector : (ReadOnlyMemory<float>?)null), [.. taste.Seen]);
    }

    private async Task<float[]> EmbedAsync(ModelVersion version, string text, CancellationToken cancellationToken)
    {
        using (var pair = pairs.Enter())
            if (pair?.Identity.Version == version) return pair.Embedder.EmbedQuery(text);

        using var limit = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await _loading.WaitAsync(either.Token);
            // Loading cannot be interrupted: who gives up waiting leaves it to end by itself, and the next one waits for that.
            var embedded = Task.Run(() =>
            {
                try
                {
                    using var model = load(version);
                    return model.EmbedQuery(text);
                }
                finally
                {
                    _loading.Release();
                }
            }, CancellationToken.None);
            return await embedded.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"Model {version} could not be loaded within {Patience.TotalSeconds:0} s.");
        }
    }

    public void Dispose() => _loading.Dispose();
}

/// <summary>One of three.</summary>
/// <param name="Items">What stands for the user, or the one item whose like is looked for.</param>
internal sealed record ComparedQuery(string? Text, UserId? User, IReadOnlyList<ItemId> Items);

/// <param name="Items">Best first, with cosines; empty where the collection holds nothing of what was asked about.</param>
internal sealed record ModelRanking(string Version, string Fingerprint, string Collection, IReadOnlyList<RankedItem> Items);
