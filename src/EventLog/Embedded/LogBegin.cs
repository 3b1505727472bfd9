using System.Text.Json;

namespace BeeFormer.Streaming.EventLog.Embedded;

/// <summary>The oldest record that a partition still holds: its offset and its address. What lies below may still be on disk and is nobody's any more.</summary>
internal sealed record LogBegin(long Offset, long Address)
{
    private const string Name = "begin";

    /// <summary>Offset 0 where nothing was ever dropped.</summary>
    public static LogBegin Load(string folder)
    {
        string path = Path.Combine(folder, Name);
        if (!File.Exists(path)) return new LogBegin(0, 0);
        try
        {
            if (JsonSerializer.Deserialize<LogBegin>(File.ReadAllBytes(path)) is { Offset: >= 0, Address: >= 0 } begin && begin.Offset % OffsetIndex.Interval == 0) return begin;
        }
        catch (JsonException)
        {
            // Told below, as any other nonsense.
        }
        throw new InvalidDataException($"{path}: expected the oldest offset and its address as JSON written by the event log; restore the folder from a copy");
    }

    /// <summary>Before anything below is deleted: a crash in between leaves too much, never too little.</summary>
    public void Save(string folder) => DurableFiles.Rewrite(Path.Combine(folder, Name), JsonSerializer.SerializeToUtf8Bytes(this));
}
