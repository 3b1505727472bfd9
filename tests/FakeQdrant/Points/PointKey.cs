using System.Buffers.Binary;

namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>A point's id in the server's order: numbers ascending, then uuids ascending.</summary>
internal readonly record struct PointKey(bool IsUuid, UInt128 Bits) : IComparable<PointKey>
{
    /// <exception cref="Grpc.Core.RpcException">No id, or no uuid.</exception>
    public static PointKey Of(PointId id) => id.PointIdOptionsCase switch
    {
        PointId.PointIdOptionsOneofCase.Num => new(false, id.Num),
        PointId.PointIdOptionsOneofCase.Uuid => new(true, Parse(id.Uuid)),
        _ => throw Refusal.Invalid("No ID options provided"),
    };

    public PointId ToId() => IsUuid ? new PointId { Uuid = ToString() } : new PointId { Num = (ulong)Bits };

    public int CompareTo(PointKey other) => IsUuid != other.IsUuid ? IsUuid.CompareTo(other.IsUuid) : Bits.CompareTo(other.Bits);

    public override string ToString()
    {
        if (!IsUuid) return ((ulong)Bits).ToString(System.Globalization.CultureInfo.InvariantCulture);
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Bits);
        return new Guid(bytes, bigEndian: true).ToString();
    }

    /// <summary>Hyphenated, without hyphens, in braces or as urn:uuid:, in small letters or capitals.</summary>
    private static UInt128 Parse(string text)
    {
        var body = text.StartsWith("urn:uuid:", StringComparison.Ordinal) ? text[9..] : text;
        var format = (body.Length, text.Length == body.Length) switch { (36, _) => "D", (32, true) => "N", (38, true) => "B", _ => null };
        if (format is null || !body.All(c => char.IsAsciiHexDigit(c) || c is '-' or '{' or '}') || !Guid.TryParseExact(body, format, out var guid))
            throw Refusal.Invalid("Unable to parse UUID: " + text);
        Span<byte> bytes = stackalloc byte[16];
        guid.TryWriteBytes(bytes, bigEndian: true, out _);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
