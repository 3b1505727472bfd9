using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using BeeFormer.Streaming.Contracts;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// What this process showed to users of late, and what they then did: recall@20 and click-through of each variant. Users and items are kept as digests; of as many users as <see cref="ExperimentOptions.Users"/> says the
/// newest lists. Safe for several threads.
/// </summary>
internal sealed class Impressions(Variants variants, VariantMetrics metrics, IOptions<ExperimentOptions> options, IOptions<UserVectorOptions> weights, TimeProvider time)
{
    /// <summary>A purchase of an item at one of so many first places is a hit.</summary>
    public const int Depth = 20;

    /// <summary>What is shown beyond is no impression: nobody looks that far.</summary>
    public const int MostItems = 100;

    /// <summary>Newest lists of a user. Events come late: by then the page that a click led to has shown the next list.</summary>
    private const int ListsPerUser = 4;

    private readonly Lock _lock = new();
    private readonly Dictionary<UInt128, LinkedListNode<Viewer>> _viewers = [];
    private readonly LinkedList<Viewer> _latestFirst = new();
    private readonly Dictionary<string, RollingTally> _tallies = variants.All.ToDictionary(variant => variant.Name!, _ => new RollingTally(), StringComparer.Ordinal);
    private readonly long _began = time.GetTimestamp();
    private readonly DateTimeOffset _beganAt = time.GetUtcNow();

    private sealed record Viewer(UInt128 User, List<ShownList> Lists);

    /// <param name="Slot">Of its clicks, too: so none is counted whose impression is not.</param>
    /// <param name="Items">Best first.</param>
    private sealed record ShownList(string Variant, long AtMs, long Slot, List<(ulong Item, bool Clicked)> Items);

    private long Now => (long)(time.GetElapsedTime(_began) / (options.Value.Period / RollingTally.Slots));

    /// <summary>Of the last <see cref="ExperimentOptions.Period"/>, since the process began at the earliest.</summary>
    public DateTimeOffset From => time.GetUtcNow() - options.Value.Period is var earliest && earliest > _beganAt ? earliest : _beganAt;

    /// <param name="continues">A further page of the user's last list.</param>
    public void Show(UserId user, Variant variant, IReadOnlyList<RankedItem> ranking, bool continues)
    {
        if (variant.Name is null || ranking.Count == 0) return;
        UInt128 key = Digest(user);
        var items = ranking.Take(MostItems).Select(item => (Digest(item.ItemId), false)).ToList();
        lock (_lock)
        {
            var lists = Latest(key).Lists;
            if (continues && lists.Count > 0)
            {
                var list = lists[^1];
                items = items[..Math.Min(items.Count, MostItems - list.Items.Count)];
                list.Items.AddRange(items);
                Count(list.Variant, list.Slot, new Tally(Impressions: items.Count));
                return;
            }
            if (lists.Count == ListsPerUser) lists.RemoveAt(0);
            lists.Add(new ShownList(variant.Name, time.GetUtcNow().ToUnixTimeMilliseconds(), Now, items));
            Count(variant.Name, Now, new Tally(Lists: 1, Impressions: items.Count));
        }
    }

    /// <summary>What a user did, in whatever order it comes: its own time says which lists came before.</summary>
    public void Note(InteractionEvent interaction)
    {
        bool looked = interaction.Type is "view" or "click";
        if (!looked && !IsPurchase(interaction)) return;
        UInt128 key = Digest(interaction.UserId);
        ulong item = Digest(interaction.ItemId.Value);
        lock (_lock)
        {
            if (!_viewers.TryGetValue(key, out var viewer)) return;
            var before = viewer.Value.Lists.Where(list => list.AtMs <= interaction.TimestampMs && interaction.TimestampMs - list.AtMs <= options.Value.Window.TotalMilliseconds).Reverse();
            if (looked) Look(before, item);
            else if (before.FirstOrDefault() is { } last) Count(last.Variant, Now, new Tally(Purchases: 1, Hits: Place(last, item) is >= 0 and < Depth ? 1 : 0));
        }
    }

    /// <summary>Nothing of the user stays.</summary>
    public void Forget(UserId user)
    {
        lock (_lock)
            if (_viewers.Remove(Digest(user), out var viewer)) _latestFirst.Remove(viewer);
    }

    public IReadOnlyList<(Variant Variant, Tally Tally)> Read()
    {
        lock (_lock) return [.. variants.All.Select(variant => (variant, _tallies[variant.Name!].Sum(Now)))];
    }

    private bool IsPurchase(InteractionEvent interaction) => interaction.Type == "purchase" || interaction.Type == "rating" && interaction.Value >= weights.Value.MinRating;

    /// <summary>An item that was shown counts once, in the newest of the lists that hold it.</summary>
    private void Look(IEnumerable<ShownList> newestFirst, ulong item)
    {
        foreach (var list in newestFirst)
        {
            int place = Place(list, item);
            if (place < 0) continue;
            if (list.Items[place].Clicked) return;
            list.Items[place] = (item, true);
            Count(list.Variant, list.Slot, new Tally(Clicks: 1));
            return;
        }
    }

    private static int Place(ShownList list, ulong item) => list.Items.FindIndex(shown => shown.Item == item);

    private void Count(string variant, long slot, Tally more)
    {
        _tallies[variant].Add(slot, Now, more);
        metrics.Add(variant, more);
    }

    private Viewer Latest(UInt128 key)
    {
        if (_viewers.TryGetValue(key, out var node)) _latestFirst.Remove(node);
        else if (_viewers.Count == options.Value.Users)
        {
            _viewers.Remove(_latestFirst.Last!.Value.User);
            _latestFirst.RemoveLast();
        }
        node ??= new LinkedListNode<Viewer>(new Viewer(key, []));
        _latestFirst.AddFirst(node);
        _viewers[key] = node;
        return node.Value;
    }

    private static UInt128 Digest(UserId user) => BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(user.Value)));

    private static ulong Digest(string item) => BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(item)));
}
