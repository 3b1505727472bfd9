using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>An item as of a revision, or its deletion (then payload and vector are empty), as it stands in the log.</summary>
/// <param name="Id">UTF-8.</param>
/// <param name="Payload"><see cref="ItemPayload"/>.</param>
internal readonly record struct Change(byte[] Id, long Revision, ChangeKind Kind, byte[] Payload, float[] Vector)
{
    private const int FewItems = 128;
    private const int FixedBytes = 1 + 8 + 4; // kind, revision, length of the id

    /// <summary>Of many, on every core.</summary>
    public static Change[] Upserts(IReadOnlyList<IndexedItem> items, int dimension)
    {
        var changes = new Change[items.Count];
        if (changes.Length <= FewItems)
        {
            for (int n = 0; n < changes.Length; n++) changes[n] = Upsert(items[n], dimension);
            return changes;
        }
        try
        {
            Parallel.For(0, (changes.Length + FewItems - 1) / FewItems, block =>
            {
                for (int n = block * FewItems; n < Math.Min(changes.Length, (block + 1) * FewItems); n++) changes[n] = Upsert(items[n], dimension);
            });
        }
        catch (AggregateException failures)
        {
            ExceptionDispatchInfo.Throw(failures.InnerExceptions[0]); // the same failure whether there are few items or many
        }
        return changes;
    }

    public static Change Upsert(IndexedItem item, int dimension)
    {
        if (BeeFormer.Streaming.Contracts.Id.Problem("item_id", item.Id.Value) is { } problem) throw new ArgumentException(problem + ".");
        return new(Encoding.UTF8.GetBytes(item.Id.Value), item.Revision, item.Available ? ChangeKind.Available : ChangeKind.Hidden,
            ItemPayload.Of(item), UnitVector.Of(item.Id, item.Vector, dimension));
    }

    public static Change Delete(ItemId id, long revision) => new(Encoding.UTF8.GetBytes(id.Value), revision, ChangeKind.Deletion, [], []);

    /// <param name="frame">Is replaced by a larger one when it is too small: frames are large, and many.</param>
    /// <returns>The part of it that was written.</returns>
    public static ReadOnlySpan<byte> Encode(List<Change> changes, ref byte[] frame)
    {
        int size = 0;
        foreach (var change in changes)
            size = checked(size + FixedBytes + change.Id.Length + (change.Kind == ChangeKind.Deletion ? 0 : 4 + change.Payload.Length + 4 * change.Vector.Length));
        if (frame.Length < size) frame = GC.AllocateUninitializedArray<byte>(size);
        var rest = frame.AsSpan(0, size);
        foreach (var change in changes)
        {
            rest[0] = (byte)change.Kind;
            BinaryPrimitives.WriteInt64LittleEndian(rest[1..], change.Revision);
            BinaryPrimitives.WriteInt32LittleEndian(rest[9..], change.Id.Length);
            change.Id.CopyTo(rest[FixedBytes..]);
            rest = rest[(FixedBytes + change.Id.Length)..];
            if (change.Kind == ChangeKind.Deletion) continue;
            BinaryPrimitives.WriteInt32LittleEndian(rest, change.Payload.Length);
            change.Payload.CopyTo(rest[4..]);
            rest = rest[(4 + change.Payload.Length)..];
            MemoryMarshal.AsBytes(change.Vector.AsSpan()).CopyTo(rest);
            rest = rest[(4 * change.Vector.Length)..];
        }
        return frame.AsSpan(0, size);
    }

    /// <exception cref="FormatException">These are no changes of vectors of this dimension.</exception>
    public static List<Change> Decode(byte[] frame, int dimension)
    {
        var changes = new List<Change>();
        for (int at = 0; at < frame.Length;)
        {
            var kind = (ChangeKind)Take(1)[0];
            long revision = BinaryPrimitives.ReadInt64LittleEndian(Take(8));
            byte[] id = Take(Length()).ToArray();
            if (kind == ChangeKind.Deletion)
            {
                changes.Add(new(id, revision, kind, [], []));
                continue;
            }
            if (kind is not (ChangeKind.Hidden or ChangeKind.Available)) throw new FormatException($"unknown entry kind {(byte)kind}");
            byte[] payload = Take(Length()).ToArray();
            changes.Add(new(id, revision, kind, payload, MemoryMarshal.Cast<byte, float>(Take(4 * dimension)).ToArray()));

            int Length() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

            ReadOnlySpan<byte> Take(int length)
            {
                if (length < 0 || length > frame.Length - at) throw new FormatException($"{length} bytes do not fit at {at} of {frame.Length}");
                at += length;
                return frame.AsSpan(at - length, length);
            }
        }
        return changes;
    }
}

internal enum ChangeKind : byte
{
    Hidden = 1,
    Available = 2,
    Deletion = 3,
}

/// <summary>What an item holds besides id, revision and vector: length of the title (4 bytes, little endian), title (UTF-8), attributes (JSON).</summary>
internal static class ItemPayload
{
    private const int MaxKeptBytes = 1 << 20;
    [ThreadStatic] private static ArrayBufferWriter<byte>? buffer;
    [ThreadStatic] private static Utf8JsonWriter? writer;

    public static byte[] Of(IndexedItem item)
    {
        var payload = buffer ??= new ArrayBufferWriter<byte>(1024);
        payload.ResetWrittenCount();
        int title = Encoding.UTF8.GetByteCount(item.Title);
        BinaryPrimitives.WriteInt32LittleEndian(payload.GetSpan(4), title);
        payload.Advance(4);
        payload.Advance(Encoding.UTF8.GetBytes(item.Title, payload.GetSpan(title)));
        var json = writer ??= new Utf8JsonWriter(payload);
        json.Reset(payload);
        json.WriteStartObject();
        foreach (var (name, value) in item.Attributes)
        {
            json.WritePropertyName(name);
            value.WriteTo(json);
        }
        json.WriteEndObject();
        json.Flush();
        byte[] bytes = payload.WrittenSpan.ToArray();
        if (payload.Capacity > MaxKeptBytes) (buffer, writer) = (null, null);
        return bytes;
    }

    public static string Title(ReadOnlySpan<byte> payload) => Encoding.UTF8.GetString(payload.Slice(4, TitleLength(payload)));

    public static ReadOnlySpan<byte> Attributes(ReadOnlySpan<byte> payload) => payload[(4 + TitleLength(payload))..];

    /// <exception cref="InvalidDataException">The bytes are damaged.</exception>
    private static int TitleLength(ReadOnlySpan<byte> payload)
    {
        int length = payload.Length < 4 ? -1 : BinaryPrimitives.ReadInt32LittleEndian(payload);
        return length >= 0 && length <= payload.Length - 4 ? length : throw new InvalidDataException($"A stored item of {payload.Length} bytes has a title of {length}; the vector index is damaged. Rebuild the collection.");
    }
}
