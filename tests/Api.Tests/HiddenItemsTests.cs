using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using FsCheck.Xunit;

namespace BeeFormer.Streaming.Api.Tests;

public sealed class HiddenItemsTests
{
    /// <summary>
    /// Requests note in any order, the log is read in its own, and at each moment the newest event known of an item decides. A request that notes what the log was read past may hide
    /// for longer, never show.
    /// </summary>
    [Property(MaxTest = 300)]
    public void Newest_event_that_is_known_decides_however_it_became_known(int seed, byte length)
    {
        var random = new Random(seed);
        var events = Enumerable.Range(0, length % 40 + 1).Select(_ => (Item: new ItemId($"i{random.Next(4)}"), Hidden: random.Next(2) == 0)).ToList();
        var hidden = new HiddenItems();
        var notedLater = Enumerable.Range(0, events.Count).OrderBy(_ => random.Next()).ToList();
        var known = new SortedSet<int>();
        int followed = 0;
        var late = new HashSet<ItemId>();
        while (followed < events.Count || notedLater.Count > 0)
        {
            if (notedLater.Count > 0 && (followed == events.Count || random.Next(2) == 0))
            {
                int offset = notedLater[0];
                notedLater.RemoveAt(0);
                known.Add(offset);
                if (offset < followed && events[offset].Hidden) late.Add(events[offset].Item);
                hidden.Note(events[offset].Item, events[offset].Hidden, new LogPosition(0, offset));
            }
            else
            {
                int next = Math.Min(events.Count, followed + 1 + random.Next(3));
                known.UnionWith(Enumerable.Range(followed, next - followed));
                hidden.Follow(0, next, [.. Enumerable.Range(followed, next - followed).Select(offset => (events[offset].Item, events[offset].Hidden, (long)offset))]);
                followed = next;
            }
            var expected = known.GroupBy(offset => events[offset].Item).Where(item => events[item.Max()].Hidden).Select(item => item.Key);
            Assert.Subset(hidden.Current.ToHashSet(), expected.ToHashSet());
            Assert.Equal(expected.Except(late).Order(), hidden.Current.Except(late).Order());
        }
        hidden.Release(0, events.Count);
        Assert.Empty(hidden.Current);
    }

    [Fact]
    public void Partitions_do_not_mix()
    {
        var hidden = new HiddenItems();
        hidden.Follow(0, 100, []);
        hidden.Note(new ItemId("i"), hidden: true, new LogPosition(1, 5));
        Assert.Equal([1], hidden.Partitions());
        hidden.Release(0, 100);
        Assert.Equal([new ItemId("i")], hidden.Current);
    }

    [Fact]
    public void Nothing_is_answered_before_all_that_is_hidden_is_known()
    {
        var hidden = new HiddenItems();
        using var pairs = new ServingPairs(hidden);
        pairs.Switch(new ServingPair(new ServedBy(new ModelVersion("000001-aaaaaaaa"), default, 1), "items-aaaaaaaa", new NoModel(), new NoModel()));
        Assert.Null(pairs.Enter());
        hidden.Complete();
        using var lease = pairs.Enter();
        Assert.NotNull(lease);
    }

    /// <summary>The collection of the old pair hears of no deletion any more, while the new pair's does and lets the item be released.</summary>
    [Fact]
    public void Request_on_the_pair_before_hides_what_was_released_after_it_began()
    {
        var hidden = new HiddenItems();
        hidden.Complete();
        using var pairs = new ServingPairs(hidden);
        pairs.Switch(new ServingPair(new ServedBy(new ModelVersion("000001-aaaaaaaa"), default, 1), "items-aaaaaaaa", new NoModel(), new NoModel()));
        hidden.Note(new ItemId("gone"), hidden: true, new LogPosition(0, 5));
        using var lease = pairs.Enter()!;
        pairs.Switch(new ServingPair(new ServedBy(new ModelVersion("000002-bbbbbbbb"), default, 2), "items-bbbbbbbb", new NoModel(), new NoModel()));
        hidden.Release(0, 6);
        Assert.Empty(hidden.Current);
        Assert.True(lease.Hides(new ItemId("gone")));
        hidden.Note(new ItemId("later"), hidden: true, new LogPosition(0, 7));
        Assert.True(lease.Hides(new ItemId("later")));
        Assert.False(lease.Hides(new ItemId("other")));
    }

    private sealed class NoModel : IQueryEmbedder, IAsyncDisposable
    {
        public Fingerprint Fingerprint => default;
        public float[] EmbedQuery(string text) => [];
        public void Dispose() { }
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
