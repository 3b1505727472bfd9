using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;

namespace BeeFormer.Streaming.Indexer.Tests;

/// <summary>An index that tells of each call, before and after its effect: to fail there, or to die.</summary>
internal sealed class SteppedIndex(IVectorIndex inner, Action<string> step) : IVectorIndex
{
    public static string Before(string call) => "before " + call;
    public static string After(string call) => "after " + call;

    private async ValueTask<T> AskAsync<T>(string name, Func<ValueTask<T>> call)
    {
        step(Before(name));
        var answer = await call();
        step(After(name));
        return answer;
    }

    private async ValueTask DoAsync(string name, Func<ValueTask> call)
    {
        step(Before(name));
        await call();
        step(After(name));
    }

    public ValueTask CreateAsync(CollectionInfo collection, CancellationToken token) => DoAsync(nameof(CreateAsync), () => inner.CreateAsync(collection, token));
    public ValueTask<CollectionInfo?> FindAsync(string collection, CancellationToken token) => AskAsync(nameof(FindAsync), () => inner.FindAsync(collection, token));
    public ValueTask<IReadOnlyList<CollectionInfo>> ListAsync(CancellationToken token) => AskAsync(nameof(ListAsync), () => inner.ListAsync(token));
    public ValueTask UpsertAsync(string collection, IReadOnlyList<IndexedItem> items, CancellationToken token) => DoAsync(nameof(UpsertAsync), () => inner.UpsertAsync(collection, items, token));
    public ValueTask LoadAsync(string collection, IReadOnlyList<IndexedItem> items, CancellationToken token) => DoAsync(nameof(LoadAsync), () => inner.LoadAsync(collection, items, token));
    public ValueTask SettleAsync(string collection, CancellationToken token) => DoAsync(nameof(SettleAsync), () => inner.SettleAsync(collection, token));
    public ValueTask DeleteAsync(string collection, IReadOnlyList<(ItemId Id, long Revision)> items, CancellationToken token) => DoAsync(nameof(DeleteAsync), () => inner.DeleteAsync(collection, items, token));
    public ValueTask<long> CountAsync(string collection, ItemFilter filter, CancellationToken token) => AskAsync(nameof(CountAsync), () => inner.CountAsync(collection, filter, token));
    public ValueTask<IReadOnlyList<IReadOnlyList<ScoredItem>>> SearchAsync(string collection, IReadOnlyList<SearchQuery> queries, CancellationToken token) => AskAsync(nameof(SearchAsync), () => inner.SearchAsync(collection, queries, token));
    public ValueTask<IReadOnlyList<IndexedItem>> FetchAsync(string collection, IReadOnlyList<ItemId> ids, CancellationToken token) => AskAsync(nameof(FetchAsync), () => inner.FetchAsync(collection, ids, token));
    public ValueTask<IReadOnlyList<IndexedItem>> ScrollAsync(string collection, ItemFilter filter, ItemId? after, int limit, CancellationToken token) => AskAsync(nameof(ScrollAsync), () => inner.ScrollAsync(collection, filter, after, limit, token));
    public ValueTask<IReadOnlyList<(ItemId Id, long Revision)>> RevisionsAsync(string collection, ItemId? after, int limit, CancellationToken token) => AskAsync(nameof(RevisionsAsync), () => inner.RevisionsAsync(collection, after, limit, token));
    public ValueTask<long> PointAliasAsync(string alias, string collection, CancellationToken token) => AskAsync(nameof(PointAliasAsync), () => inner.PointAliasAsync(alias, collection, token));
    public ValueTask<AliasTarget?> ResolveAliasAsync(string alias, CancellationToken token) => AskAsync(nameof(ResolveAliasAsync), () => inner.ResolveAliasAsync(alias, token));
    public ValueTask<IReadOnlyList<string>> AliasesAsync(CancellationToken token) => AskAsync(nameof(AliasesAsync), () => inner.AliasesAsync(token));
    public ValueTask RemoveAliasAsync(string alias, CancellationToken token) => DoAsync(nameof(RemoveAliasAsync), () => inner.RemoveAliasAsync(alias, token));
    public ValueTask<IAsyncDisposable> HoldAsync(string collection, CancellationToken token) => AskAsync(nameof(HoldAsync), () => inner.HoldAsync(collection, token));
    public ValueTask<bool> DropAsync(string collection, CancellationToken token) => AskAsync(nameof(DropAsync), () => inner.DropAsync(collection, token));
}
