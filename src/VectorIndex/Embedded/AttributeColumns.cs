using System.Text;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>
/// The attributes of many rows, by name and type: values in ascending order, each with its row, so that a condition is a binary search and a run of rows. Read where <see cref="AttributeColumnsWriter"/> put them, in memory that does not move.
/// </summary>
internal sealed unsafe class AttributeColumns
{
    private readonly Dictionary<(string Name, AttributeKind Kind), Column> columns = [];

    /// <param name="bytes">Of <see cref="AttributeColumnsWriter.ToBytes"/>, checked against their checksum.</param>
    public AttributeColumns(byte* bytes, long length)
    {
        for (byte* at = bytes; at < bytes + length;)
        {
            int* header = (int*)at;
            string name = Encoding.UTF8.GetString(at + AttributeColumnsWriter.HeaderBytes, header[1]);
            var column = new Column { Keys = header[2], Entries = header[3] };
            at += AttributeColumnsWriter.Aligned(AttributeColumnsWriter.HeaderBytes + header[1]);
            if ((AttributeKind)header[0] == AttributeKind.Text)
            {
                column.TextStarts = (int*)at;
                column.RowStarts = column.TextStarts + column.Keys + 1;
                column.Rows = column.RowStarts + column.Keys + 1;
                column.Texts = (byte*)(column.Rows + column.Entries);
                at += AttributeColumnsWriter.Aligned(4L * (2 * (column.Keys + 1L) + column.Entries) + header[4]);
            }
            else
            {
                column.Values = at;
                column.Rows = (int*)(at + 8L * column.Entries);
                at += AttributeColumnsWriter.Aligned(12L * column.Entries);
            }
            columns.Add((name, (AttributeKind)header[0]), column);
        }
    }

    /// <summary>Sets the bit of each row that the condition admits.</summary>
    /// <param name="firstRow">Where the rows of these columns begin, a multiple of 64.</param>
    public void Mark(ItemCondition condition, Span<ulong> rows, int firstRow = 0)
    {
        rows = rows[(firstRow / 64)..];
        switch (condition)
        {
            case AnyOf any:
                foreach (var value in any.Values) MarkEqual(any.Attribute, value, rows);
                break;
            case NumberRange range when columns.TryGetValue((range.Attribute, AttributeKind.Number), out var column):
                double* numbers = (double*)column.Values;
                Mark(column, First(column.Entries, n => !(numbers[n] <= range.GreaterThan) && !(numbers[n] < range.AtLeast)), First(column.Entries, n => numbers[n] >= range.LessThan || numbers[n] > range.AtMost), rows);
                break;
            case TimeRange range when columns.TryGetValue((range.Attribute, AttributeKind.Time), out var column):
                long* ticks = (long*)column.Values;
                Mark(column, First(column.Entries, n => !(ticks[n] <= range.After?.UtcTicks) && !(ticks[n] < range.AtOrAfter?.UtcTicks)), First(column.Entries, n => ticks[n] >= range.Before?.UtcTicks || ticks[n] > range.AtOrBefore?.UtcTicks), rows);
                break;
            case NumberRange or TimeRange:
                break; // no such column
            default:
                throw new InvalidOperationException($"A {condition.GetType().Name} is not about attributes.");
        }
    }

    private void MarkEqual(string attribute, AttributeValue value, Span<ulong> rows)
    {
        if (value.Text is { } text)
        {
            if (!columns.TryGetValue((attribute, AttributeKind.Text), out var column)) return;
            byte[] wanted = Encoding.UTF8.GetBytes(text);
            int key = First(column.Keys, n => Text(column, n).SequenceCompareTo(wanted) >= 0);
            if (key < column.Keys && Text(column, key).SequenceEqual(wanted)) Mark(column, column.RowStarts[key], column.RowStarts[key + 1], rows);
        }
        else if ((value.Number ?? (value.Flag is { } flag ? flag ? 1 : 0 : null)) is { } number
            && columns.TryGetValue((attribute, value.Number is null ? AttributeKind.Flag : AttributeKind.Number), out var column))
        {
            double* numbers = (double*)column.Values;
            Mark(column, First(column.Entries, n => numbers[n] >= number), First(column.Entries, n => numbers[n] > number), rows);
        }
    }

    private static void Mark(Column column, int first, int end, Span<ulong> rows)
    {
        for (int n = first; n < end; n++)
        {
            int row = column.Rows[n];
            rows[row >> 6] |= 1UL << (row & 63);
        }
    }

    private static ReadOnlySpan<byte> Text(Column column, int key) => new(column.Texts + column.TextStarts[key], column.TextStarts[key + 1] - column.TextStarts[key]);

    /// <summary>The first of n for which the test holds; it holds for all that follow. n when there is none.</summary>
    private static int First(int n, Func<int, bool> holds)
    {
        int low = 0, high = n;
        while (low < high)
        {
            int middle = (int)(((uint)low + (uint)high) / 2);
            if (holds(middle)) high = middle;
            else low = middle + 1;
        }
        return low;
    }

    private struct Column
    {
        public int Keys, Entries;
        public byte* Values;
        public int* TextStarts, RowStarts, Rows;
        public byte* Texts;
    }
}

internal enum AttributeKind
{
    Text,
    Number,
    Flag,
    Time,
}
