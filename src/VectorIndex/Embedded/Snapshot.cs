using System.Numerics;
using System.Text;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>A part as a snapshot shows it.</summary>
/// <param name="Rows">How many of its rows count.</param>
/// <param name="Newest">A bit for each row: nothing newer of the same id is there. Bits from <paramref name="Rows"/> on are 0.</param>
internal readonly record struct PartView(Part Part, int Rows, ulong[] Newest)
{
    public int Words => (Rows + 63) / 64;

    public bool Has(int row) => (Newest[row >> 6] >> (row & 63) & 1) != 0;
}

/// <summary>The state of a collection after a write; it never changes, so readers need no lock. Older parts first, the recent rows last.</summary>
internal sealed class Snapshot(PartView[] parts)
{
    public PartView[] Parts => parts;

    /// <summary>Readers, and 1 while it is the newest; under the collection's gate.</summary>
    public int Uses { get; set; } = 1;

    /// <returns>The part and the row that hold the newest of an id; null: nothing is known of it.</returns>
    public (int Part, int Row)? Find(ReadOnlySpan<byte> id)
    {
        uint hash = Part.Hash(id);
        for (int n = parts.Length - 1; n >= 0; n--)
            if (parts[n].Part.Find(id, hash, parts[n].Newest, parts[n].Rows) is >= 0 and var row) return (n, row);
        return null;
    }

    public unsafe IReadOnlyList<IndexedItem> Fetch(IReadOnlyList<ItemId> ids) =>
        [.. ids.Distinct().Select(id => Find(Encoding.UTF8.GetBytes(id.Value))).Where(place => place is { } found && IsItem(found)).Select(place => parts[place!.Value.Part].Part.Item(place.Value.Row))];

    public unsafe long Count(ItemFilter filter)
    {
        long count = 0;
        foreach (var part in parts)
        {
            using var marks = RowMarks.Of(filter, part, part.Part.Items);
            foreach (ulong word in marks.Words) count += BitOperations.PopCount(word);
        }
        return count;
    }

    public IReadOnlyList<IndexedItem> Scroll(ItemFilter filter, ItemId? after, int limit) =>
        InOrder(filter, after, limit, place => place.Part.Item(place.Row));

    public unsafe IReadOnlyList<(ItemId Id, long Revision)> Revisions(ItemId? after, int limit) =>
        InOrder(ItemFilter.None, after, limit, place => (place.Part.ItemId(place.Row), place.Part.Revisions[place.Row]));

    /// <summary>Merges the parts, each of which knows its own order.</summary>
    private unsafe List<T> InOrder<T>(ItemFilter filter, ItemId? after, int limit, Func<RowPlace, T> read)
    {
        byte[] start = after is { } last ? Encoding.UTF8.GetBytes(last.Value) : [];
        var marks = new List<RowMarks>();
        try
        {
            var next = new int[parts.Length];
            for (int n = 0; n < parts.Length; n++)
            {
                marks.Add(RowMarks.Of(filter, parts[n], parts[n].Part.Items));
                int low = 0, high = parts[n].Part.InOrder(parts[n].Rows).Length;
                while (low < high)
                {
                    int middle = (low + high) / 2;
                    if (parts[n].Part.Id(parts[n].Part.InOrder(parts[n].Rows)[middle]).SequenceCompareTo(start) > 0) high = middle;
                    else low = middle + 1;
                }
                next[n] = low;
            }
            var found = new List<T>();
            while (found.Count < limit)
            {
                int first = -1;
                RowPlace least = default;
                for (int n = 0; n < parts.Length; n++)
                {
                    var order = parts[n].Part.InOrder(parts[n].Rows);
                    while (next[n] < order.Length && !marks[n].Has(order[next[n]])) next[n]++;
                    if (next[n] == order.Length) continue;
                    var place = new RowPlace(parts[n].Part, order[next[n]]);
                    if (first < 0 || place.Part.Id(place.Row).SequenceCompareTo(least.Part.Id(least.Row)) < 0) (first, least) = (n, place);
                }
                if (first < 0) break;
                found.Add(read(least));
                next[first]++;
            }
            return found;
        }
        finally
        {
            foreach (var some in marks) some.Dispose();
        }
    }

    private unsafe bool IsItem((int Part, int Row) place) => (parts[place.Part].Part.Items[place.Row >> 6] >> (place.Row & 63) & 1) != 0;
}

/// <summary>A snapshot in the making: what a writer does to it is seen by nobody else.</summary>
internal sealed class SnapshotDraft(Snapshot basis)
{
    private readonly PartView[] parts = [.. basis.Parts];
    private readonly bool[] own = new bool[basis.Parts.Length];

    /// <summary>Not to be changed by <see cref="Apply"/> any more once a snapshot has them.</summary>
    public PartView[] Parts => parts;

    private RecentRows Recent => (RecentRows)parts[^1].Part;

    /// <summary>An upsert must be newer than what is known, a deletion as new: of both at one revision, the deletion wins.</summary>
    /// <returns>False: the change is of no effect.</returns>
    public unsafe bool Apply(Change change)
    {
        uint hash = Part.Hash(change.Id);
        for (int n = parts.Length - 1; n >= 0; n--)
        {
            if (parts[n].Part.Find(change.Id, hash, parts[n].Newest, parts[n].Rows) is not (>= 0 and var known)) continue;
            bool isItem = (parts[n].Part.Items[known >> 6] >> (known & 63) & 1) != 0;
            long revision = parts[n].Part.Revisions[known];
            if (isItem && change.Kind == ChangeKind.Deletion ? change.Revision < revision : change.Revision <= revision) return false;
            Own(n)[known >> 6] &= ~(1UL << (known & 63));
            break;
        }
        int row = Recent.Append(change, hash);
        Own(parts.Length - 1)[row >> 6] |= 1UL << (row & 63);
        parts[^1] = parts[^1] with { Rows = row + 1 };
        return true;
    }

    private ulong[] Own(int n)
    {
        if (!own[n]) parts[n] = parts[n] with { Newest = [.. parts[n].Newest] };
        own[n] = true;
        return parts[n].Newest;
    }
}
