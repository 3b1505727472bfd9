using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace BeeFormer.Streaming.EventLog.Embedded;

/// <summary>
/// Overwrites records in place by erased ones of the same length, in a partition whose files nobody has open. Which ones is noted durably first, and whoever opens the partition finishes what is
/// noted before anything is read: a record that a crash left half overwritten, by whole sectors or parts of them, is never looked at.
/// </summary>
internal static class RecordErasure
{
    private const string JournalName = "erasing";

    public static void Note(string folder, LogGeometry geometry, IReadOnlyList<RecordPlace> places)
    {
        Finish(folder, geometry); // what an attempt before has left
        DurableFiles.Rewrite(Path.Combine(folder, JournalName), JsonSerializer.SerializeToUtf8Bytes(places));
    }

    /// <summary>Does what is noted, all of it, however much was done before.</summary>
    public static void Finish(string folder, LogGeometry geometry)
    {
        string journal = Path.Combine(folder, JournalName);
        if (!File.Exists(journal)) return;
        foreach (var segment in Read(journal).GroupBy(place => place.Address >> geometry.SegmentBits))
        {
            string path = RecordPlace.FileOf(folder, segment.Key);
            if (!File.Exists(path)) continue; // retention dropped it
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            foreach (var place in segment)
            {
                long at = place.Address - (segment.Key << geometry.SegmentBits);
                if (!LiesAt(file, at, place)) continue; // a copy of the folder that missed the records: there is nothing to erase
                var erased = new byte[place.Length];
                RecordFormat.WriteErased(erased, place.Offset, place.TimestampMs);
                DiskChange.Before("overwrite", path);
                RandomAccess.Write(file, erased, at + RecordPlace.FrameBytes);
            }
            DiskChange.Before("flush", path);
            RandomAccess.FlushToDisk(file);
        }
        DurableFiles.DeleteFile(journal);
        DurableFiles.FlushFolder(folder);
    }

    // Frame and offset are the same before, during and after the overwriting.
    private static bool LiesAt(SafeFileHandle file, long at, RecordPlace place)
    {
        Span<byte> start = stackalloc byte[RecordPlace.FrameBytes + RecordFormat.HeaderBytes];
        return RandomAccess.Read(file, start, at) == start.Length
            && BinaryPrimitives.ReadInt32LittleEndian(start) == place.Length && RecordFormat.ReadOffset(start[RecordPlace.FrameBytes..]) == place.Offset;
    }

    private static RecordPlace[] Read(string journal)
    {
        try
        {
            return JsonSerializer.Deserialize<RecordPlace[]>(File.ReadAllBytes(journal)) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{journal}: expected the places of records that are to be erased, as JSON written by the event log: {e.Message}", e);
        }
    }
}
