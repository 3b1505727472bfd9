using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace BeeFormer.Streaming.WindowStore;

/// <summary>SHA-256 over a window's content: ids, then the columns. Where the rows lay on disk does not enter.</summary>
internal static class WindowHash
{
    public static string Of(InteractionWindow window)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        AppendIds(hash, window.Users.Select(user => user.Value));
        AppendIds(hash, window.Items.Select(item => item.Value));
        hash.AppendData(MemoryMarshal.AsBytes(window.User.AsSpan()));
        hash.AppendData(MemoryMarshal.AsBytes(window.Item.AsSpan()));
        hash.AppendData(MemoryMarshal.AsBytes(window.Weight.AsSpan()));
        hash.AppendData(MemoryMarshal.AsBytes(window.TimestampMs.AsSpan()));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Each id with its length, so that no two lists of ids give the same bytes.</summary>
    private static void AppendIds(IncrementalHash hash, IEnumerable<string> ids)
    {
        var buffer = new byte[4];
        foreach (string id in ids)
        {
            byte[] text = Encoding.UTF8.GetBytes(id);
            BinaryPrimitives.WriteInt32LittleEndian(buffer, text.Length);
            hash.AppendData(buffer);
            hash.AppendData(text);
        }
        BinaryPrimitives.WriteInt32LittleEndian(buffer, -1);
        hash.AppendData(buffer);
    }
}
