using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>
/// Reads a collection as format 1 kept it (everything in <c>items.log</c>) into segments, once. The manifest is put in its place last, so a crash before it leaves a collection of format 1.
/// </summary>
internal static class FormatOne
{
    public const string LogFile = "items.log";
    private const int HeaderBytes = 12;
    private const byte Upsert = 1, Deletion = 2;

    /// <exception cref="InvalidDataException">The log is damaged before its end, or missing.</exception>
    public static void Migrate(string folder, CollectionInfo info, StoragePlan plan)
    {
        string log = Path.Combine(folder, LogFile), temporary = Path.Combine(folder, ".migration");
        if (!File.Exists(log)) throw new InvalidDataException($"{folder} has neither {SegmentManifest.FileName} nor {LogFile}; one of them is missing. Rebuild the collection.");
        if (Directory.Exists(temporary)) DurableFiles.DeleteFolder(temporary);
        Collection.Make(temporary, info);
        using (var collection = Collection.Open(temporary, plan with { Background = false }))
        {
            foreach (var changes in Read(log, info.Dimension)) collection.WriteAsync(changes, durable: false, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            collection.SealAll();
        }
        foreach (string segment in Directory.GetFiles(temporary, "*.segment")) DurableFiles.Rename(segment, Path.Combine(folder, Path.GetFileName(segment)));
        DurableFiles.FlushFolder(folder);
        DurableFiles.Replace(Path.Combine(temporary, SegmentManifest.FileName), Path.Combine(folder, SegmentManifest.FileName));
        DurableFiles.DeleteFolder(temporary);
        DurableFiles.DeleteFile(log);
    }

    /// <summary>Frames of a length, its CRC-32C, the content's CRC-32C (4 bytes each) and the content.</summary>
    private static IEnumerable<Change[]> Read(string path, int dimension)
    {
        using var file = File.OpenRead(path);
        var header = new byte[HeaderBytes];
        while (file.Position < file.Length)
        {
            long start = file.Position;
            byte[]? content = null;
            if (file.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false) == HeaderBytes && BinaryPrimitives.ReadInt32LittleEndian(header) is > 0 and var length
                && BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4)) == Crc32C.Of(header.AsSpan(0, 4)) && length <= file.Length - file.Position)
            {
                content = new byte[length];
                file.ReadExactly(content);
                if (BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(8)) != Crc32C.Of(content)) content = null;
            }
            if (content is null)
            {
                if (!HoldsHeader(file, start + 1)) yield break; // the torn tail of a write that was never confirmed
                throw new InvalidDataException($"{path} is damaged at byte {start} of {file.Length}, before its end; it cannot be taken over. Delete the folder of the collection, and it is built anew.");
            }
            yield return Changes(content, dimension, path);
        }
    }

    private static bool HoldsHeader(FileStream file, long from)
    {
        const int Window = 1 << 20;
        var bytes = new byte[Window + HeaderBytes - 1];
        for (long start = from; start < file.Length; start += Window)
        {
            file.Position = start;
            int read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            for (int n = 0; n + HeaderBytes <= read; n++)
                if (BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(n)) > 0 && BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(n + 4)) == Crc32C.Of(bytes.AsSpan(n, 4))) return true;
        }
        return false;
    }

    private static Change[] Changes(byte[] content, int dimension, string path)
    {
        using var reader = new BinaryReader(new MemoryStream(content), Encoding.UTF8);
        var changes = new List<Change>();
        try
        {
            while (reader.BaseStream.Position < content.Length)
            {
                byte kind = reader.ReadByte();
                var id = new ItemId(reader.ReadString());
                long revision = reader.ReadInt64();
                if (kind == Deletion)
                {
                    changes.Add(Change.Delete(id, revision));
                    continue;
                }
                if (kind != Upsert) throw new FormatException($"unknown entry kind {kind}");
                bool available = reader.ReadBoolean();
                string title = reader.ReadString();
                int length = reader.ReadInt32();
                if (length < 0 || length > content.Length - reader.BaseStream.Position) throw new FormatException($"attributes of {length} bytes do not fit");
                var attributes = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(reader.ReadBytes(length))!;
                var vector = new float[dimension];
                for (int d = 0; d < dimension; d++) vector[d] = reader.ReadSingle();
                changes.Add(Change.Upsert(new IndexedItem(id, revision, vector, title, available, attributes), dimension));
            }
        }
        catch (Exception damage) when (damage is FormatException or EndOfStreamException or JsonException or ArgumentException)
        {
            throw new InvalidDataException($"{path} is damaged: {damage.Message}", damage);
        }
        return [.. changes];
    }
}
