using System.Buffers.Binary;
using System.Text;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Profiles;

/// <summary>
/// One user's newest interactions as the bytes that are stored, oldest first by event time; of equal times the later arrival is the newer. An interaction is
/// <c>time int64 · value float64 (NaN: none) · bytes of event id, item, type uint16 each · event id · item · type</c>, little-endian, UTF-8.
/// </summary>
internal sealed class UserProfile
{
    private const int HeaderBytes = 22;

    private byte[] _bytes;
    private int _length;
    private bool _lent;

    /// <param name="bytes">What <see cref="Bytes"/> of another one were; the profile takes them over.</param>
    public UserProfile(byte[] bytes) => (_bytes, _length) = (bytes, bytes.Length);

    public int Capacity => _bytes.Length;

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    /// <summary>The bytes as they are now, for a reader that later changes do not reach.</summary>
    public ReadOnlyMemory<byte> Lend()
    {
        _lent = true;
        return _bytes.AsMemory(0, _length);
    }

    public void Clear() => (_bytes, _length, _lent) = ([], 0, false);

    /// <summary>False when nothing changed: the event id is known, or all that is kept is newer.</summary>
    public bool Add(in ProfileInteraction interaction, int limit)
    {
        int idBytes = Encoding.UTF8.GetByteCount(interaction.EventId);
        Span<byte> id = idBytes <= 512 ? stackalloc byte[idBytes] : new byte[idBytes];
        Encoding.UTF8.GetBytes(interaction.EventId, id);

        var held = _bytes.AsSpan(0, _length);
        int count = 0, before = -1; // where the first newer one begins
        for (int at = 0; at < held.Length; count++)
        {
            var one = held[at..];
            if (ReadUInt16(one, 16) == idBytes && one.Slice(HeaderBytes, idBytes).SequenceEqual(id)) return false;
            if (before < 0 && Time(one) > interaction.TimestampMs) before = at;
            at += Size(one);
        }
        if (before < 0) before = held.Length;

        int oldest = 0; // bytes that go
        for (; count >= limit; count--)
        {
            if (count == limit && before <= oldest) return false;
            oldest += Size(held[oldest..]);
        }
        before = Math.Max(before, oldest);

        int size = HeaderBytes + idBytes + Encoding.UTF8.GetByteCount(interaction.Item.Value) + Encoding.UTF8.GetByteCount(interaction.Type);
        Write(MakeRoom(oldest, before, size), interaction, id);
        return true;
    }

    /// <summary>At most <paramref name="limit"/> interactions of stored bytes, newest first.</summary>
    public static IReadOnlyList<ProfileInteraction> NewestFirst(ReadOnlySpan<byte> bytes, int limit)
    {
        int count = 0;
        for (int at = 0; at < bytes.Length; at += Size(bytes[at..])) count++;
        var newest = new ProfileInteraction[Math.Min(count, limit)];
        for (int at = 0; at < bytes.Length; at += Size(bytes[at..]))
            if (--count < newest.Length) newest[count] = Read(bytes[at..]);
        return newest;
    }

    // Drops the bytes before `oldest` and opens a gap at `before`; in place where the array is large enough and nobody else reads it.
    private Span<byte> MakeRoom(int oldest, int before, int size)
    {
        var held = _bytes.AsSpan(0, _length);
        _length += size - oldest;
        var target = _length <= _bytes.Length && !_lent ? _bytes : new byte[Math.Max(64, _length + _length / 4)];
        int gap = before - oldest;
        held[oldest..before].CopyTo(target);
        held[before..].CopyTo(target.AsSpan(gap + size));
        (_bytes, _lent) = (target, false);
        return target.AsSpan(gap, size);
    }

    private static void Write(Span<byte> target, in ProfileInteraction interaction, ReadOnlySpan<byte> id)
    {
        BinaryPrimitives.WriteInt64LittleEndian(target, interaction.TimestampMs);
        BinaryPrimitives.WriteDoubleLittleEndian(target[8..], interaction.Value ?? double.NaN); // events carry finite values only
        id.CopyTo(target[HeaderBytes..]);
        int item = Encoding.UTF8.GetBytes(interaction.Item.Value, target[(HeaderBytes + id.Length)..]);
        int type = Encoding.UTF8.GetBytes(interaction.Type, target[(HeaderBytes + id.Length + item)..]);
        BinaryPrimitives.WriteUInt16LittleEndian(target[16..], checked((ushort)id.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(target[18..], checked((ushort)item));
        BinaryPrimitives.WriteUInt16LittleEndian(target[20..], checked((ushort)type));
    }

    private static ProfileInteraction Read(ReadOnlySpan<byte> one)
    {
        int id = ReadUInt16(one, 16), item = ReadUInt16(one, 18), type = ReadUInt16(one, 20);
        double value = BinaryPrimitives.ReadDoubleLittleEndian(one[8..]);
        return new ProfileInteraction(Encoding.UTF8.GetString(one.Slice(HeaderBytes, id)), new ItemId(Encoding.UTF8.GetString(one.Slice(HeaderBytes + id, item))),
            Encoding.UTF8.GetString(one.Slice(HeaderBytes + id + item, type)), double.IsNaN(value) ? null : value, Time(one));
    }

    private static int Size(ReadOnlySpan<byte> one) => HeaderBytes + ReadUInt16(one, 16) + ReadUInt16(one, 18) + ReadUInt16(one, 20);
    private static long Time(ReadOnlySpan<byte> one) => BinaryPrimitives.ReadInt64LittleEndian(one);
    private static int ReadUInt16(ReadOnlySpan<byte> one, int at) => BinaryPrimitives.ReadUInt16LittleEndian(one[at..]);
}
