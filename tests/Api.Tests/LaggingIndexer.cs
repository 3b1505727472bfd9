using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.InMemory;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Api.Tests;

/// <summary>Does what the Indexer does, but only as far as it is told to: so the index is as old as a test wants it. For one caller.</summary>
internal sealed class LaggingIndexer(ApiUnderTest api)
{
    private readonly ILogSubscription _log = api.Log.Subscribe(Topics.Items, ReaderGroups.Indexer, _ => 0);
    private readonly ReadItemEvent _read = api.Services.GetRequiredService<ReadItemEvent>();
    private readonly Dictionary<ItemId, (long Offset, ItemEvent Event)> _catalogue = [];
    private readonly Queue<(long Offset, ItemEvent Event)> _toFill = [];
    private CollectionInfo? _building;
    private long _next;

    private static CancellationToken Token => ApiUnderTest.Token;

    /// <summary>Brings at most so many events into the collection in service and into the one that is built.</summary>
    /// <returns>False: there are none.</returns>
    public async Task<bool> FollowAsync(int most)
    {
        if (_next == await api.Log.EndOffsetAsync(Topics.Items, 0, Token)) return false;
        using var batch = await _log.ReadAsync(most, Token);
        var live = (await api.Index.FindAsync((await api.Index.ResolveAliasAsync(PairKeeping.Alias, Token))!.Collection, Token))!;
        foreach (var message in batch)
        {
            if (message.Value is null)
            {
                Assert.True(ItemJson.TryReadKey(message.Key.Span, out var id, out _));
                _catalogue.Remove(id);
                foreach (var target in Targets(live)) await api.Index.DeleteAsync(target.Name, [(id, message.Offset)], Token);
            }
            else
            {
                var item = _read(message)!;
                _catalogue[item.ItemId] = (message.Offset, item);
                foreach (var target in Targets(live)) await WriteAsync(target, message.Offset, item);
            }
        }
        _next = batch.NextOffset;
        await _log.CommitAsync(0, _next, Token);
        return true;
    }

    /// <summary>Begins a collection for this model from the catalogue as it stands here.</summary>
    public async Task BeginAsync(char letter)
    {
        var model = api.Models.GoLive(letter);
        var collection = new CollectionInfo($"items-{model.Model.Fingerprint.Short}", FakeModel.Dimension, model.Model.Fingerprint, model.Version);
        if ((await api.Index.ResolveAliasAsync(PairKeeping.Alias, Token))?.Collection == collection.Name || !await api.Index.DropAsync(collection.Name, Token)) return;
        await api.Index.CreateAsync(collection, Token);
        _building = collection;
        _toFill.Clear();
        foreach (var item in _catalogue.Values) _toFill.Enqueue(item);
    }

    public async Task FillAsync(int most)
    {
        for (; _building is not null && most > 0 && _toFill.TryDequeue(out var item); most--) await WriteAsync(_building, item.Offset, item.Event);
    }

    public async Task SwitchAsync()
    {
        if (_building is null) return;
        await FillAsync(int.MaxValue);
        await api.Index.PointAliasAsync(PairKeeping.Alias, _building.Name, Token);
        _building = null;
    }

    private IEnumerable<CollectionInfo> Targets(CollectionInfo live) => _building is null ? [live] : [live, _building];

    private ValueTask WriteAsync(CollectionInfo target, long offset, ItemEvent item) =>
        api.Index.UpsertAsync(target.Name, [new IndexedItem(item.ItemId, offset, FakeModel.Embed(target.Fingerprint, item.Title), item.Title, item.Available, item.Attributes)], Token);
}
