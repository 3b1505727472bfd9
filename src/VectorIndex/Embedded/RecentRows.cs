using System.Runtime.InteropServices;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>
/// The changes since the last segment, in memory: what the log holds. One writer appends; readers look at the rows that their snapshot counts, which never change again.
/// Attributes become columns a few rows at a time.
/// </summary>
internal sealed unsafe class RecentRows : Part
{
    private const int RowsPerColumns = 256;
    private const long MaxBytes = 64 << 20;
    private readonly byte[][] ids, payloads;
    private readonly uint[] hashes;
    private readonly int[] slots; // row + 1; 0: empty
    private readonly int[] slotOf;
    private readonly List<(byte[] Bytes, AttributeColumns Columns)> columns = [];
    private readonly Description?[] described = new Description?[RowsPerColumns]; // of rows that are not in columns; replaced as a whole, so no lock
    private int columnRows;
    private (int Rows, int[] Order) sorted = (0, []);

    /// <param name="maxRows">Upper bound of <see cref="Capacity"/>.</param>
    public RecentRows(int dimension, int maxRows) : base(dimension)
    {
        Capacity = (int)Math.Clamp(MaxBytes / (Stride + 4L * dimension) / 64 * 64, 64, maxRows);
        Vectors = (float*)LargeMemory.Allocate((nuint)Capacity * 4 * (nuint)dimension);
        CodeRows = (byte*)LargeMemory.Allocate((nuint)Capacity * (nuint)Stride);
        Scales = (float*)NativeMemory.AllocZeroed((nuint)Capacity, 4);
        Errors = (float*)NativeMemory.AllocZeroed((nuint)Capacity, 4);
        Revisions = (long*)NativeMemory.AllocZeroed((nuint)Capacity, 8);
        Items = (ulong*)NativeMemory.AllocZeroed((nuint)Capacity / 64, 8);
        Available = (ulong*)NativeMemory.AllocZeroed((nuint)Capacity / 64, 8);
        (ids, payloads, hashes, slotOf) = (new byte[Capacity][], new byte[Capacity][], new uint[Capacity], new int[Capacity]);
        slots = new int[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Capacity * 2)];
    }

    /// <summary>Rows that fit, a multiple of 64.</summary>
    public int Capacity { get; }
    public int Count { get; private set; }

    /// <summary>Bytes that the log needs for the rows, about.</summary>
    public long Bytes(int row) => ids[row].Length + payloads[row].Length + 4L * Dimension;

    public int Append(Change change, uint hash)
    {
        int row = Count;
        ulong bit = 1UL << (row & 63);
        (ids[row], payloads[row], hashes[row], Revisions[row]) = (change.Id, change.Payload, hash, change.Revision);
        Set(Items, change.Kind != ChangeKind.Deletion);
        Set(Available, change.Kind == ChangeKind.Available);
        if (change.Kind != ChangeKind.Deletion)
        {
            change.Vector.CopyTo(new Span<float>(Vectors + (long)row * Dimension, Dimension));
            (Scales[row], Errors[row]) = Codes.Write(change.Vector, new Span<byte>(CodeRows + (long)row * Stride, Stride));
        }
        int slot = (int)hash & (slots.Length - 1);
        while (slots[slot] != 0) slot = (slot + 1) & (slots.Length - 1);
        slotOf[row] = slot;
        Volatile.Write(ref slots[slot], row + 1);
        return Count++;

        void Set(ulong* bits, bool on) => bits[row >> 6] = on ? bits[row >> 6] | bit : bits[row >> 6] & ~bit;
    }

    /// <summary>Takes back rows that no snapshot has counted.</summary>
    public void CutTo(int rows)
    {
        while (Count > rows) slots[slotOf[--Count]] = 0; // newest first: no row that stays was put behind one of these
    }

    /// <summary>Makes columns of the rows that will stay.</summary>
    public void MakeColumns()
    {
        while (Count - columnRows >= RowsPerColumns)
        {
            var writer = new AttributeColumnsWriter();
            for (int n = 0; n < RowsPerColumns; n++)
                if (payloads[columnRows + n].Length > 0) writer.Add(n, ItemPayload.Attributes(payloads[columnRows + n]));
            byte[] written = writer.ToBytes();
            byte[] bytes = GC.AllocateUninitializedArray<byte>(written.Length, pinned: true);
            written.CopyTo(bytes, 0);
            lock (columns) columns.Add((bytes, new AttributeColumns((byte*)Marshal.UnsafeAddrOfPinnedArrayElement(bytes, 0), bytes.Length)));
            columnRows += RowsPerColumns;
        }
    }

    public override ReadOnlySpan<byte> Id(int row) => ids[row];

    public override ReadOnlySpan<byte> Payload(int row) => payloads[row];

    public override IndexedItem Described(int row)
    {
        if (described[row % RowsPerColumns] is { } known && known.Row == row) return known.Item;
        var item = Item(row, withVector: false);
        described[row % RowsPerColumns] = new Description(row, item);
        return item;
    }

    public override int Find(ReadOnlySpan<byte> id, uint hash, ReadOnlySpan<ulong> marked, int rows)
    {
        for (int slot = (int)hash & (slots.Length - 1); Volatile.Read(ref slots[slot]) is > 0 and var entry; slot = (slot + 1) & (slots.Length - 1))
        {
            int row = entry - 1;
            if (row < rows && hashes[row] == hash && (marked[row >> 6] >> (row & 63) & 1) != 0 && id.SequenceEqual(ids[row])) return row;
        }
        return -1;
    }

    public override ReadOnlySpan<int> InOrder(int rows)
    {
        lock (slotOf)
        {
            if (sorted.Rows != rows)
            {
                int[] order = [.. Enumerable.Range(0, rows)];
                Array.Sort(order, (a, b) => ids[a].AsSpan().SequenceCompareTo(ids[b]));
                sorted = (rows, order);
            }
            return sorted.Order;
        }
    }

    public override int ColumnRows(int rows)
    {
        lock (columns) return Math.Min(columns.Count, rows / RowsPerColumns) * RowsPerColumns;
    }

    public override void Mark(ItemCondition condition, Span<ulong> marks, int columnRows)
    {
        (byte[], AttributeColumns Columns)[] some;
        lock (columns) some = [.. columns[..(columnRows / RowsPerColumns)]];
        for (int n = 0; n < some.Length; n++) some[n].Columns.Mark(condition, marks, n * RowsPerColumns);
    }

    public override void Dispose()
    {
        foreach (nint memory in (nint[])[(nint)Vectors, (nint)CodeRows]) NativeMemory.AlignedFree((void*)memory);
        foreach (nint memory in (nint[])[(nint)Scales, (nint)Errors, (nint)Revisions, (nint)Items, (nint)Available]) NativeMemory.Free((void*)memory);
        Vectors = null;
        GC.SuppressFinalize(this);
    }

    private sealed record Description(int Row, IndexedItem Item);
}
