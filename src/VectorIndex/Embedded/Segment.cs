using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>
/// A file of rows that never changes, mapped into memory: items first, then notes of deletions. A header says where each column lies and what its CRC-32C is; opening checks all that steers reading,
/// <see cref="Verify"/> the rest (vectors, codes, payloads), which is most of the bytes.
/// </summary>
internal sealed unsafe class Segment : Part
{
    public const int HeaderBytes = 4096, Alignment = 64;
    public static ReadOnlySpan<byte> Magic => "BFROWS02"u8;
    private static readonly SegmentColumn[] Bulk = [SegmentColumn.Vectors, SegmentColumn.Codes, SegmentColumn.Payloads];

    private readonly MemoryMappedFile mapping;
    private readonly MemoryMappedViewAccessor view;
    private readonly byte* file;
    private readonly (long Offset, long Length, uint Crc)[] columns = new (long, long, uint)[Enum.GetValues<SegmentColumn>().Length];
    private readonly long* idStarts, payloadStarts;
    private readonly byte* ids, payloads;
    private readonly (uint Hash, int Entry)* table; // entry: row + 1; 0: empty
    private readonly int tableMask;
    private readonly AttributeColumns attributes;

    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public Segment(string path, int dimension) : base(dimension)
    {
        Path = path;
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1);
        long length = stream.Length;
        if (length < HeaderBytes)
        {
            stream.Dispose();
            throw Damaged("its header", $"{length} bytes");
        }
        mapping = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        view = mapping.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref file);
        try
        {
            var header = new ReadOnlySpan<byte>(file, HeaderBytes);
            if (!header.StartsWith(Magic) || BinaryPrimitives.ReadUInt32LittleEndian(header[^4..]) != Crc32C.Of(header[..^4])) throw Damaged("its header", "other bytes");
            var numbers = MemoryMarshal.Cast<byte, int>(header[8..]);
            if (numbers[0] != dimension) throw Damaged("its header", $"dimension {numbers[0]}");
            (ItemRows, Rows) = (numbers[1], numbers[2]);
            for (int n = 0; n < columns.Length; n++)
            {
                var entry = header[(32 + 24 * n)..];
                columns[n] = (BinaryPrimitives.ReadInt64LittleEndian(entry), BinaryPrimitives.ReadInt64LittleEndian(entry[8..]), BinaryPrimitives.ReadUInt32LittleEndian(entry[16..]));
                if (columns[n].Offset > length - columns[n].Length) throw Damaged($"its {(SegmentColumn)n}", $"{length} bytes in all");
                if (!Bulk.Contains((SegmentColumn)n)) Check((SegmentColumn)n, default);
            }
            Vectors = (float*)At(SegmentColumn.Vectors);
            CodeRows = At(SegmentColumn.Codes);
            Scales = (float*)At(SegmentColumn.Scales);
            Errors = (float*)At(SegmentColumn.Errors);
            Revisions = (long*)At(SegmentColumn.Revisions);
            Items = (ulong*)At(SegmentColumn.Items);
            Available = (ulong*)At(SegmentColumn.Available);
            idStarts = (long*)At(SegmentColumn.IdStarts);
            ids = At(SegmentColumn.Ids);
            payloadStarts = (long*)At(SegmentColumn.PayloadStarts);
            payloads = At(SegmentColumn.Payloads);
            table = ((uint, int)*)At(SegmentColumn.IdTable);
            tableMask = (int)(columns[(int)SegmentColumn.IdTable].Length / 8) - 1;
            attributes = new AttributeColumns(At(SegmentColumn.Attributes), columns[(int)SegmentColumn.Attributes].Length);
            if (numbers[3] > 0) Lists = new RowLists(numbers[3], numbers[4], At(SegmentColumn.ListCodes), (float*)At(SegmentColumn.ListScales), (int*)At(SegmentColumn.ListStarts));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Path { get; }
    public int ItemRows { get; }

    /// <summary>Items and notes of deletions.</summary>
    public int Rows { get; }

    /// <summary>Checks what opening did not; reads all of the file.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public void Verify(CancellationToken cancellationToken)
    {
        foreach (var column in Bulk) Check(column, cancellationToken);
    }

    public override ReadOnlySpan<byte> Id(int row) => new(ids + idStarts[row], (int)(idStarts[row + 1] - idStarts[row]));

    public override ReadOnlySpan<byte> Payload(int row) => new(payloads + payloadStarts[row], (int)(payloadStarts[row + 1] - payloadStarts[row]));

    public override int Find(ReadOnlySpan<byte> id, uint hash, ReadOnlySpan<ulong> marked, int rows)
    {
        for (int slot = (int)hash & tableMask; table[slot].Entry != 0; slot = (slot + 1) & tableMask)
        {
            if (table[slot].Hash != hash) continue;
            int row = table[slot].Entry - 1;
            if ((marked[row >> 6] >> (row & 63) & 1) != 0 && id.SequenceEqual(Id(row))) return row;
        }
        return -1;
    }

    public override ReadOnlySpan<int> InOrder(int rows) => new(At(SegmentColumn.IdOrder), Rows);

    public override int ColumnRows(int rows) => rows;

    public override void Mark(ItemCondition condition, Span<ulong> marks, int columnRows) => attributes.Mark(condition, marks);

    public override void Dispose()
    {
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        mapping.Dispose();
    }

    private byte* At(SegmentColumn column) => file + columns[(int)column].Offset;

    private void Check(SegmentColumn column, CancellationToken cancellationToken)
    {
        const int Step = 1 << 24;
        var (offset, length, expected) = columns[(int)column];
        uint crc = 0;
        for (long at = 0; at < length; at += Step)
        {
            cancellationToken.ThrowIfCancellationRequested();
            crc = Crc32C.Continue(crc, new ReadOnlySpan<byte>(file + offset + at, (int)Math.Min(Step, length - at)));
        }
        if (crc != expected) throw Damaged($"its {column}", "other bytes");
    }

    private InvalidDataException Damaged(string what, string found) => new($"{Path} is damaged: {what} should be as the index wrote it, found {found}. Rebuild the collection.");
}

/// <summary>Columns in the order in which they lie in the file.</summary>
internal enum SegmentColumn
{
    Vectors,
    Codes,
    Scales,
    Errors,
    Revisions,
    Items,
    Available,
    IdStarts,
    Ids,
    PayloadStarts,
    Payloads,
    IdTable,
    IdOrder,
    Attributes,
    ListCodes,
    ListScales,
    ListStarts,
}
