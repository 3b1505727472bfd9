using System.Security.Cryptography;
using System.Text;
using BeeFormer.Streaming.Contracts;
using Qdrant.Client.Grpc;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>A point's id follows from the item's: UUID version 5 of it in RFC 9562's namespace of URLs, as in Python's <c>uuid5(NAMESPACE_URL, item_id)</c>.</summary>
internal static class PointIds
{
    private static readonly byte[] Namespace = new Guid("6ba7b811-9dad-11d1-80b4-00c04fd430c8").ToByteArray(bigEndian: true);

    public static PointId Of(ItemId item) => new() { Uuid = Uuid(item).ToString() };

    public static IEnumerable<PointId> Of(IEnumerable<ItemId> items) => items.Select(Of);

    public static Guid Uuid(ItemId item)
    {
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        byte[] name = [.. Namespace, .. Encoding.UTF8.GetBytes(item.Value)];
#pragma warning disable CA5350 // the version of the UUID prescribes the hash; nothing secret hangs on it
        SHA1.HashData(name, hash);
#pragma warning restore CA5350
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }
}
