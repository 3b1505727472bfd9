using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace BeeFormer.Streaming.ModelStore;

/// <summary>Files of history, named <c>000012.json</c> or <c>000012-9f3ab07c.json</c>: the newest <see cref="Most"/> are kept.</summary>
internal sealed partial class FolderRecords<T>(string folder, Func<JsonObject, T> read) where T : class
{
    public const int Most = 2_000;
    private const string Temporary = ".new-";

    /// <summary>Oldest first, without those that are damaged.</summary>
    /// <param name="where">Given the name without its ending; null: all.</param>
    public IReadOnlyList<T> All(Func<string, bool>? where = null) => [.. Files().Where(file => where is null || where(Path.GetFileNameWithoutExtension(file))).Select(file => TryRead(file, read)).OfType<T>()];

    /// <summary>0: there is none.</summary>
    public int LastNumber => Files() is { Length: > 0 } files ? int.Parse(Path.GetFileName(files[^1]).AsSpan(0, 6), CultureInfo.InvariantCulture) : 0;

    public void Write(string name, byte[] json) => DurableFiles.Rewrite(Path.Combine(folder, name + ".json"), json);

    /// <summary>Under the next number. The caller sees to it that nobody else does that at the same time.</summary>
    public void Add(byte[] json)
    {
        string temporary = Path.Combine(folder, $"{Temporary}{Guid.NewGuid():N}");
        DurableFiles.Write(temporary, json);
        DurableFiles.TryPublish(temporary, Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{LastNumber + 1:D6}.json")));
    }

    public void RemoveOldest()
    {
        foreach (string file in Files().SkipLast(Most)) DurableFiles.DeleteFile(file);
    }

    public void RemoveLeftovers()
    {
        foreach (string leftover in Directory.GetFiles(folder, Temporary + "*")) DurableFiles.DeleteFile(leftover);
    }

    /// <returns>Null when it is damaged or was removed just now: one record of history must not hide the others.</returns>
    public static T? TryRead(string file, Func<JsonObject, T> read)
    {
        try
        {
            return ModelJson.Read(file, read);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private string[] Files() => [.. Directory.EnumerateFiles(folder, "*.json").Where(file => RecordName.IsMatch(Path.GetFileName(file))).Order(StringComparer.Ordinal)];

    [GeneratedRegex(@"\A[0-9]{6}(-[0-9a-f]{8})?\.json\z")]
    private static partial Regex RecordName { get; }
}
