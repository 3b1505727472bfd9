using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>
/// <c>segments</c>: which segments a collection has, and which of their rows were still the newest when the log was last emptied (base64 of little-endian bits). CRC-32C in hexadecimal, a line break, JSON. Replaced as a whole, so a crash leaves the old or the new;
/// a file that it does not name is a leftover.
/// </summary>
internal static class SegmentManifest
{
    public const string FileName = "segments";

    public sealed record Entry(string File, byte[] Newest);

    public static void Write(string folder, IEnumerable<PartView> parts) => DurableFiles.Rewrite(Path.Combine(folder, FileName), Bytes(parts));

    public static byte[] Bytes(IEnumerable<PartView> parts)
    {
        var entries = parts.Where(part => part.Part is Segment).Select(part => new Entry(Path.GetFileName(((Segment)part.Part).Path), MemoryMarshal.AsBytes(part.Newest.AsSpan()).ToArray()));
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(entries);
        return [.. Encoding.ASCII.GetBytes(Crc32C.Of(json).ToString("x8", CultureInfo.InvariantCulture) + "\n"), .. json];
    }

    /// <exception cref="InvalidDataException">The file, or a segment that it names, is damaged or missing.</exception>
    public static PartView[] Open(string folder, int dimension)
    {
        string path = Path.Combine(folder, FileName);
        byte[] bytes = File.ReadAllBytes(path);
        if (bytes.Length < 9 || Encoding.ASCII.GetString(bytes, 0, 8) != Crc32C.Of(bytes.AsSpan(9)).ToString("x8", CultureInfo.InvariantCulture))
            throw new InvalidDataException($"{path} is damaged; expected it as the index wrote it. Rebuild the collection.");
        var entries = JsonSerializer.Deserialize<Entry[]>(bytes.AsSpan(9))!;
        var parts = new PartView[entries.Length];
        try
        {
            for (int n = 0; n < entries.Length; n++)
            {
                string file = Path.Combine(folder, entries[n].File);
                if (!File.Exists(file)) throw new InvalidDataException($"{path} names {file}, which is missing. Rebuild the collection.");
                var segment = new Segment(file, dimension);
                parts[n] = new PartView(segment, segment.Rows, MemoryMarshal.Cast<byte, ulong>(entries[n].Newest).ToArray());
                if (parts[n].Newest.Length != parts[n].Words) throw new InvalidDataException($"{path} speaks of {parts[n].Newest.Length * 64} rows of {file}; expected {segment.Rows}. Rebuild the collection.");
            }
            return parts;
        }
        catch
        {
            foreach (var part in parts) part.Part?.Dispose();
            throw;
        }
    }
}
