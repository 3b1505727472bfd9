using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>A row of a part.</summary>
internal readonly record struct RowPlace(Part Part, int Row);

/// <summary>Writes rows of other parts to a new <see cref="Segment"/>. Durable on return, but for its name in the folder.</summary>
internal sealed unsafe class SegmentWriter : IDisposable
{
    private const int RowsPerStep = 1024;
    private readonly FileStream file;
    private readonly byte[] header = new byte[Segment.HeaderBytes];
    private readonly CancellationToken cancellationToken;
    private uint crc;

    private SegmentWriter(string path, CancellationToken cancellationToken)
    {
        DiskChange.Before("write", path);
        file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        this.cancellationToken = cancellationToken;
    }

    /// <param name="items">In the order of their lists, if there are any.</param>
    public static void Write(string path, int dimension, IReadOnlyList<RowPlace> items, IReadOnlyList<RowPlace> deletions, BuiltLists? lists, CancellationToken cancellationToken)
    {
        using var writer = new SegmentWriter(path, cancellationToken);
        writer.Write(dimension, items, [.. items, .. deletions], lists);
        DiskChange.Before("flush", path);
        writer.file.Flush(flushToDisk: true);
    }

    public void Dispose() => file.Dispose();

    private void Write(int dimension, IReadOnlyList<RowPlace> items, RowPlace[] rows, BuiltLists? lists)
    {
        Segment.Magic.CopyTo(header);
        int[] numbers = [dimension, items.Count, rows.Length, lists?.Starts.Length - 1 ?? 0, lists?.Probes ?? 0];
        MemoryMarshal.AsBytes(numbers.AsSpan()).CopyTo(header.AsSpan(8));
        file.Position = Segment.HeaderBytes;

        int stride = Codes.Stride(dimension), padded = (items.Count + 63) / 64 * 64;
        Column(SegmentColumn.Vectors, () => Each(items, place => Put(new ReadOnlySpan<byte>(place.Part.Vectors + (long)place.Row * dimension, 4 * dimension))));
        Column(SegmentColumn.Codes, () =>
        {
            Each(items, place => Put(new ReadOnlySpan<byte>(place.Part.CodeRows + (long)place.Row * stride, stride)));
            Put(new byte[(-items.Count & 3) * stride]);
        });
        var floats = new float[padded];
        Numbers(SegmentColumn.Scales, floats, items, place => place.Part.Scales[place.Row]);
        Numbers(SegmentColumn.Errors, floats, items, place => place.Part.Errors[place.Row]);
        Numbers(SegmentColumn.Revisions, new long[rows.Length], rows, place => place.Part.Revisions[place.Row]);
        Column(SegmentColumn.Items, () => Put<ulong>(Bits(rows, place => place.Part.Items)));
        Column(SegmentColumn.Available, () => Put<ulong>(Bits(rows, place => place.Part.Available)));
        Texts(SegmentColumn.IdStarts, SegmentColumn.Ids, rows, place => place.Part.Id(place.Row));
        Texts(SegmentColumn.PayloadStarts, SegmentColumn.Payloads, rows, place => place.Part.Payload(place.Row));
        Column(SegmentColumn.IdTable, () => Put<(uint, int)>(Table(rows)));
        Column(SegmentColumn.IdOrder, () => Put<int>(Order(rows)));
        Column(SegmentColumn.Attributes, () =>
        {
            var attributes = new AttributeColumnsWriter();
            int row = 0;
            Each(items, place => attributes.Add(row++, ItemPayload.Attributes(place.Part.Payload(place.Row))));
            Put(attributes.ToBytes());
        });
        Column(SegmentColumn.ListCodes, () => Put(lists?.Codes ?? []));
        Column(SegmentColumn.ListScales, () => Put<float>(lists?.Scales ?? []));
        Column(SegmentColumn.ListStarts, () => Put<int>(lists?.Starts ?? []));

        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(^4), Crc32C.Of(header.AsSpan(..^4)));
        file.Position = 0;
        file.Write(header);
    }

    private void Column(SegmentColumn column, Action write)
    {
        file.Write(new byte[-file.Position & (Segment.Alignment - 1)]);
        long start = file.Position;
        crc = 0;
        write();
        var entry = header.AsSpan(32 + 24 * (int)column);
        BinaryPrimitives.WriteInt64LittleEndian(entry, start);
        BinaryPrimitives.WriteInt64LittleEndian(entry[8..], file.Position - start);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[16..], crc);
    }

    private void Numbers<T>(SegmentColumn column, T[] numbers, IReadOnlyList<RowPlace> rows, Func<RowPlace, T> number)
        where T : unmanaged
    {
        for (int n = 0; n < rows.Count; n++) numbers[n] = number(rows[n]);
        Column(column, () => Put<T>(numbers));
    }

    private void Texts(SegmentColumn starts, SegmentColumn texts, RowPlace[] rows, TextOf text)
    {
        var ends = new long[rows.Length + 1];
        for (int n = 0; n < rows.Length; n++) ends[n + 1] = ends[n] + text(rows[n]).Length;
        Column(starts, () => Put<long>(ends));
        Column(texts, () => Each(rows, place => Put(text(place))));
    }

    private delegate ReadOnlySpan<byte> TextOf(RowPlace place);

    private delegate ulong* BitsOf(RowPlace place);

    private static ulong[] Bits(RowPlace[] rows, BitsOf bits)
    {
        var marks = new ulong[(rows.Length + 63) / 64];
        for (int n = 0; n < rows.Length; n++) marks[n >> 6] |= (bits(rows[n])[rows[n].Row >> 6] >> (rows[n].Row & 63) & 1) << (n & 63);
        return marks;
    }

    private static (uint Hash, int Entry)[] Table(RowPlace[] rows)
    {
        var table = new (uint Hash, int Entry)[BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, rows.Length) * 2)];
        for (int n = 0; n < rows.Length; n++)
        {
            uint hash = Part.Hash(rows[n].Part.Id(rows[n].Row));
            int slot = (int)hash & (table.Length - 1);
            while (table[slot].Entry != 0) slot = (slot + 1) & (table.Length - 1);
            table[slot] = (hash, n + 1);
        }
        return table;
    }

    private static int[] Order(RowPlace[] rows)
    {
        // Most comparisons are decided by the first bytes of what differs; these are at hand, the ids are not.
        int common = rows.Length == 0 ? 0 : rows[0].Part.Id(rows[0].Row).Length;
        foreach (var place in rows) common = Math.Min(common, place.Part.Id(place.Row).CommonPrefixLength(rows[0].Part.Id(rows[0].Row)));
        var keys = new (ulong Prefix, int Row)[rows.Length];
        Span<byte> prefix = stackalloc byte[8];
        for (int n = 0; n < rows.Length; n++)
        {
            var rest = rows[n].Part.Id(rows[n].Row)[common..];
            prefix.Clear();
            rest[..Math.Min(8, rest.Length)].CopyTo(prefix);
            keys[n] = (BinaryPrimitives.ReadUInt64BigEndian(prefix), n);
        }
        Array.Sort(keys, (a, b) => a.Prefix != b.Prefix ? a.Prefix.CompareTo(b.Prefix) : rows[a.Row].Part.Id(rows[a.Row].Row).SequenceCompareTo(rows[b.Row].Part.Id(rows[b.Row].Row)));
        return Array.ConvertAll(keys, key => key.Row);
    }

    private void Each(IReadOnlyList<RowPlace> places, Action<RowPlace> write)
    {
        for (int n = 0; n < places.Count; n++)
        {
            if (n % RowsPerStep == 0) cancellationToken.ThrowIfCancellationRequested();
            write(places[n]);
        }
    }

    private void Put<T>(ReadOnlySpan<T> numbers)
        where T : unmanaged
    {
        const int Step = 1 << 20; // numbers; their bytes fit an int
        for (; numbers.Length > 0; numbers = numbers[Math.Min(Step, numbers.Length)..]) Put(MemoryMarshal.AsBytes(numbers[..Math.Min(Step, numbers.Length)]));
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        crc = Crc32C.Continue(crc, bytes);
        file.Write(bytes);
    }
}
