using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;
using Polly;
using Polly.Retry;

namespace BeeFormer.Streaming.Indexer;

/// <summary>
/// The index as the Indexer uses it: a call that it does not answer (<see cref="IOException"/>) is repeated until it does or the host stops. Every call may be repeated: revisions and names decide what it changes.
/// So an outage stops events and builds where they are, and they go on from there.
/// </summary>
internal sealed class PatientIndex(IVectorIndex index, IndexerHealth health, TimeProvider time) : IVectorIndex
{
    private readonly ResiliencePipeline _patience = new ResiliencePipelineBuilder { TimeProvider = time }
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<IOException>(),
            MaxRetryAttempts = int.MaxValue,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = TimeSpan.FromSeconds(0.2),
            MaxDelay = TimeSpan.FromSeconds(5),
        })
        .Build();

    private ValueTask<T> CallAsync<T>(Func<CancellationToken, ValueTask<T>> call, CancellationToken cancellationToken) => _patience.ExecuteAsync(async token =>
    {
        long answered = health.Answered;
        try
        {
            T answer = await call(token);
            health.Succeeded();
            return answer;
        }
        catch (IOException failure)
        {
            health.Failed(failure, answered);
            throw;
        }
    }, cancellationToken);

    private async ValueTask CallAsync(Func<CancellationToken, ValueTask> call, CancellationToken cancellationToken) => await CallAsync(async token =>
    {
        await call(token);
        return true;
    }, cancellationToken);

    public ValueTask CreateAsync(CollectionInfo collection, CancellationToken cancellationToken) => CallAsync(token => index.CreateAsync(collection, token), cancellationToken);
    public ValueTask<CollectionInfo?> FindAsync(string collection, CancellationToken cancellationToken) => CallAsync(token => index.FindAsync(collection, token), cancellationToken);
    public ValueTask<IReadOnlyList<CollectionInfo>> ListAsync(CancellationToken cancellationToken) => CallAsync(index.ListAsync, cancellationToken);
    public ValueTask UpsertAsync(string collection, IReadOnlyList<IndexedItem> items, CancellationToken cancellationToken) => CallAsync(token => index.UpsertAsync(collection, items, token), cancellationToken);
    public ValueTask LoadAsync(string collection, IReadOnlyList<IndexedItem> items, CancellationToken cancellationToken) => CallAsync(token => index.LoadAsync(collection, items, token), cancellationToken);
    public ValueTask SettleAsync(string collection, CancellationToken cancellationToken) => CallAsync(token => index.SettleAsync(collection, token), cancellationToken);
    public ValueTask DeleteAsync(string collection, IReadOnlyList<(ItemId Id, long Revision)> items, CancellationToken cancellationToken) => CallAsync(token => index.DeleteAsync(collection, items, token), cancellationToken);
    public ValueTask<long> CountAsync(string collection, ItemFilter filter, CancellationToken cancellationToken) => CallAsync(token => index.CountAsync(collection, filter, token), cancellationToken);
    public ValueTask<IReadOnlyList<IReadOnlyList<ScoredItem>>> SearchAsync(string collection, IReadOnlyList<SearchQuery> queries, CancellationToken cancellationToken) => CallAsync(token => index.SearchAsync(collection, queries, token), cancellationToken);
    public ValueTask<IReadOnlyList<IndexedItem>> FetchAsync(string collection, IReadOnlyList<ItemId> ids, CancellationToken cancellationToken) => CallAsync(token => index.FetchAsync(collection, ids, token), cancellationToken);
    public ValueTask<IReadOnlyList<IndexedItem>> ScrollAsync(string collection, ItemFilter filter, ItemId? after, int limit, CancellationToken cancellationToken) => CallAsync(token => index.ScrollAsync(collection, filter, after, limit, token), cancellationToken);
    public ValueTask<IReadOnlyList<(ItemId Id, long Revision)>> RevisionsAsync(string collection, ItemId? after, int limit, CancellationToken cancellationToken) => CallAsync(token => index.RevisionsAsync(collection, after, limit, token), cancellationToken);
    public ValueTask<long> PointAliasAsync(string alias, string collection, CancellationToken cancellationToken) => CallAsync(token => index.PointAliasAsync(alias, collection, token), cancellationToken);
    public ValueTask<AliasTarget?> ResolveAliasAsync(string alias, CancellationToken cancellationToken) => CallAsync(token => index.ResolveAliasAsync(alias, token), cancellationToken);
    public ValueTask<IReadOnlyList<string>> AliasesAsync(CancellationToken cancellationToken) => CallAsync(index.AliasesAsync, cancellationToken);
    public ValueTask RemoveAliasAsync(string alias, CancellationToken cancellationToken) => CallAsync(token => index.RemoveAliasAsync(alias, token), cancellationToken);
    public ValueTask<IAsyncDisposable> HoldAsync(string collection, CancellationToken cancellationToken) => CallAsync(token => index.HoldAsync(collection, token), cancellationToken);
    public ValueTask<bool> DropAsync(string collection, CancellationToken cancellationToken) => CallAsync(token => index.DropAsync(collection, token), cancellationToken);
}
