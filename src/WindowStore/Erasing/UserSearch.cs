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
        var names = open.Segments.ToDictionary(segment => segment.File, storage.NameOf, StringComparer.Ordinal);
        List<string> found = [.. InRows(open.Segments, storage, user).Select(file => names[file])];
        byte[] id = Encoding.UTF8.GetBytes(user.Value);
        foreach (string file in others)
        {
            try
            {
                if (IsParquet(file)) found.AddRange(InRows([new Segment(0, 0, 0, file)], storage, user));
                else if (HoldsBytes(file, id)) found.Add(file);
            }
            catch (IOException)
            {
                if (File.Exists(file)) found.Add(file); // else a temporary file that has its final name by now
            }
        }
        found.Sort(StringComparer.Ordinal);
        return found;
    }

    /// <summary>Files whose rows name the user. One that cannot be read cannot be cleared of it, and is named as well.</summary>
    private static List<string> InRows(IReadOnlyList<Segment> segments, ISegmentStorage storage, UserId user)
    {
        if (segments.Count == 0) return [];
        try
        {
            using var duck = new SegmentQuery(segments, storage.SpillFolder);
            if (!duck.Rows($"DESCRIBE SELECT * FROM {duck.Table}", r => r.GetString(0)).Contains("user_id")) return []; // items
            return duck.Rows($"SELECT DISTINCT filename FROM {duck.Table} WHERE user_id = {SegmentQuery.Text(user.Value)}", r => r.GetString(0));
        }
        catch (InvalidDataException)
        {
            if (segments.Count > 1) return [.. segments.SelectMany(segment => InRows([segment], storage, user))];
            return File.Exists(segments[0].File) ? [segments[0].File] : [];
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
