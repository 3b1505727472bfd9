using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace BeeFormer.Streaming.Encoder;

/// <summary>SHA-256 of a text's UTF-8.</summary>
internal readonly record struct TextKey(UInt128 First, UInt128 Second)
{
    public const int Bytes = SHA256.HashSizeInBytes;

    public static TextKey Of(string text)
    {
        Span<byte> digest = stackalloc byte[Bytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), digest);
        return Read(digest);
    }

    /// <summary>The same for a text with a picture: SHA-256 of the text, a byte that no UTF-8 has, and SHA-256 of the file; without picture that of the text.</summary>
    public static TextKey Of(string text, byte[]? picture) => picture is null ? Of(text) : Read(SHA256.HashData([.. Encoding.UTF8.GetBytes(text), 0xFF, .. SHA256.HashData(picture)]));

    /// <summary>SHA-256 of a text's token ids.</summary>
    public static TextKey Of(ReadOnlySpan<int> tokens)
    {
        Span<byte> digest = stackalloc byte[Bytes];
        SHA256.HashData(MemoryMarshal.AsBytes(tokens), digest);
        return Read(digest);
    }

    public static TextKey Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt128BigEndian(bytes), BinaryPrimitives.ReadUInt128BigEndian(bytes[16..]));

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt128BigEndian(bytes, First);
        BinaryPrimitives.WriteUInt128BigEndian(bytes[16..], Second);
    }
}
