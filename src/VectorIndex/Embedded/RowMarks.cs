using System.Buffers;
using System.Numerics;
using System.Text;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>A bit for each row of a part: those that are the newest of their id, of a kind, and pass a filter. Filters are evaluated column by column; what they mean is said by <see cref="ItemCondition.Admits"/>.</summary>
internal sealed unsafe class RowMarks : IDisposable
{
    private readonly ulong[] words;
    private readonly int count;

    private RowMarks(int count) => (words, this.count) = (ArrayPool<ulong>.Shared.Rent(count), count);

    public Span<ulong> Words => words.AsSpan(0, count);

    public bool Has(int row) => row < 64 * count && (words[row >> 6] >> (row & 63) & 1) != 0;

    /// <param name="kind">Bits of the part: <see cref="Part.Items"/> or <see cref="Part.Available"/>.</param>
    public static RowMarks Of(ItemFilter filter, PartView part, ulong* kind)
    {
        var marks = new RowMarks(part.Words);
        if (filter.IsEmpty) marks.Words.Fill(ulong.MaxValue);
        else
        {
            int columnRows = part.Part.ColumnRows(part.Rows);
            Evaluate(filter, part, columnRows, marks.Words);
            for (int row = AsksForAttributes(filter) ? columnRows : part.Rows; row < part.Rows; row++)
            {
                ulong bit = 1UL << (row & 63);
                marks.words[row >> 6] &= ~bit;
                if (part.Has(row) && (kind[row >> 6] & bit) != 0 && filter.Admits(part.Part.Described(row))) marks.words[row >> 6] |= bit;
            }
        }
        for (int n = 0; n < marks.count; n++) marks.words[n] &= part.Newest[n] & kind[n];
        return marks;
    }

    /// <summary>Those of these rows that lie in some lists.</summary>
    public RowMarks InLists(RowLists lists, ReadOnlySpan<int> chosen)
    {
        var marks = new RowMarks(count);
        marks.Words.Clear();
        foreach (int list in chosen)
        {
            int first = lists.Starts[list], end = lists.Starts[list + 1];
            for (int n = first / 64; n < (end + 63) / 64; n++)
            {
                ulong within = ulong.MaxValue;
                if (n == first / 64) within &= ulong.MaxValue << (first & 63);
                if (n == end / 64) within &= (1UL << (end & 63)) - 1;
                marks.words[n] |= words[n] & within;
            }
        }
        return marks;
    }

    public long Sum()
    {
        long sum = 0;
        foreach (ulong word in Words) sum += BitOperations.PopCount(word);
        return sum;
    }

    public void Dispose() => ArrayPool<ulong>.Shared.Return(words);

    /// <summary>Ids are looked up, whatever is in columns.</summary>
    private static bool AsksForAttributes(ItemCondition condition) =>
        condition is ItemFilter filter ? filter.Must.Any(AsksForAttributes) || filter.Should.Any(AsksForAttributes) || filter.MustNot.Any(AsksForAttributes) : condition is not HasId;

    private static void Evaluate(ItemCondition condition, PartView part, int columnRows, Span<ulong> marks)
    {
        switch (condition)
        {
            case ItemFilter filter:
                Evaluate(filter, part, columnRows, marks);
                break;
            case HasId has:
                marks.Clear();
                foreach (var id in has.Ids)
                {
                    byte[] bytes = Encoding.UTF8.GetBytes(id.Value);
                    if (part.Part.Find(bytes, Part.Hash(bytes), part.Newest, part.Rows) is >= 0 and var row) marks[row >> 6] |= 1UL << (row & 63);
                }
                break;
            default:
                marks.Clear();
                part.Part.Mark(condition, marks, columnRows);
                break;
        }
    }

    private static void Evaluate(ItemFilter filter, PartView part, int columnRows, Span<ulong> marks)
    {
        using var one = new RowMarks(marks.Length);
        marks.Clear();
        if (filter.Should.Count == 0) marks.Fill(ulong.MaxValue);
        foreach (var condition in filter.Should)
        {
            Evaluate(condition, part, columnRows, one.Words);
            for (int n = 0; n < marks.Length; n++) marks[n] |= one.words[n];
        }
        foreach (var condition in filter.Must)
        {
            Evaluate(condition, part, columnRows, one.Words);
            for (int n = 0; n < marks.Length; n++) marks[n] &= one.words[n];
        }
        foreach (var condition in filter.MustNot)
        {
            Evaluate(condition, part, columnRows, one.Words);
            for (int n = 0; n < marks.Length; n++) marks[n] &= ~one.words[n];
        }
    }
}
