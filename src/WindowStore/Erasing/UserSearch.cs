using System.Text;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore.Erasing;

/// <summary>Looks for a user in everything that a storage holds: by rows in Parquet files, by the id's bytes in all others.</summary>
internal static class UserSearch
{
    private const int BlockSize = 1 << 20;

    public static List<string> Find(ISegmentStorage storage, UserId user)
    {
        using var open = storage.OpenEverything(out var others);
        List<string> found = [.. open.Segments.Where(segment => HoldsRows(segment, storage, user) != false).Select(segment => segment.File)];
        byte[] id = Encoding.UTF8.GetBytes(user.Value);
        foreach (string file in others)
        {
            try
            {
                if (IsParquet(file) ? HoldsRows(new Segment(0, 0, 0, file), storage, user) != false : HoldsBytes(file, id)) found.Add(file);
            }
            catch (FileNotFoundException)
            {
                // A writer's temporary file that has its final name by now, or is gone.
            }
        }
        found.Sort(StringComparer.Ordinal);
        return found;
    }

    /// <returns>Null: it cannot be read, and so cannot be cleared of holding the user.</returns>
    private static bool? HoldsRows(Segment segment, ISegmentStorage storage, UserId user)
    {
        try
        {
            using var duck = new SegmentQuery([segment], storage.SpillFolder);
            var columns = duck.Rows($"DESCRIBE SELECT * FROM {duck.Table}", r => r.GetString(0));
            return columns.Contains("user_id") && duck.Rows($"SELECT 1 FROM {duck.Table} WHERE user_id = {SegmentQuery.Text(user.Value)} LIMIT 1", r => 1).Count > 0;
        }
        catch (InvalidDataException)
        {
            return File.Exists(segment.File) ? null : false;
        }
    }

    private static bool IsParquet(string file)
    {
        using var stream = File.OpenRead(file);
        Span<byte> head = stackalloc byte[4];
        return stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) == head.Length && head.SequenceEqual("PAR1"u8);
    }

    private static bool HoldsBytes(string file, byte[] id)
    {
        using var stream = File.OpenRead(file);
        var block = new byte[BlockSize + id.Length];
        int kept = 0;
        while (stream.Read(block, kept, BlockSize) is var read and > 0)
        {
            var text = block.AsSpan(0, kept + read);
            if (text.IndexOf(id) >= 0) return true;
            kept = Math.Min(id.Length - 1, text.Length);
            text[^kept..].CopyTo(block);
        }
        return false;
    }
}
