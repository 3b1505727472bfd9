using System.Text.Json;
using BeeFormer.Streaming.ModelStore;

namespace BeeFormer.Streaming.Standalone.Hosting;

/// <summary>
/// The folder that holds everything the program keeps. Its <c>format.json</c> says which layout it has: a folder of another layout is refused before anything in it is touched,
/// and so is a second process on the same folder.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    /// <summary>Grows when a part changes what it writes in a way that older programs cannot read.</summary>
    public const int Format = 1;

    /// <summary>Section <c>ApiKeys</c>, where it is kept here.</summary>
    public const string KeysFile = "keys.json";

    private static readonly string[] Parts = ["log", "windows", "profiles", "models", "index", "cache"];

    private readonly FileStream? mutex;

    private DataFolder(string root, FileStream? mutex)
    {
        Root = root;
        this.mutex = mutex;
    }

    public string Root { get; }
    public string Log => Path.Combine(Root, "log");
    public string Windows => Path.Combine(Root, "windows");
    public string Profiles => Path.Combine(Root, "profiles");
    public string Models => Path.Combine(Root, "models");
    public string Index => Path.Combine(Root, "index");
    public string Cache => Path.Combine(Root, "cache");
    public string Checkpoints => Path.Combine(Root, "checkpoints");
    public string Trainings => ModelStoreServices.TrainingsIn(Models);
    public string Keys => Path.Combine(Root, KeysFile);
    public string Replays => Path.Combine(Root, "replay");

    /// <summary>Opens the folder for this process alone; creates it where there is none.</summary>
    /// <exception cref="InvalidDataException">The folder has another format.</exception>
    /// <exception cref="IOException">Another process uses it.</exception>
    public static DataFolder Open(string path)
    {
        string root = Path.GetFullPath(path);
        if (File.Exists(root)) throw new IOException($"{path} is a file; expected a data folder.");
        bool made = CheckFormat(path, root);
        Directory.CreateDirectory(root);
        FileStream mutex = TryLock(root, out IOException? why) ?? throw new IOException($"{path} is in use by another process; expected a data folder that no other beeformer works on.", why);
        ServerFile.Remove(root); // of a process that died
        if (!made) DurableFiles.Rewrite(Path.Combine(root, "format.json"), stream => JsonSerializer.Serialize(stream, new { product = "BeeFormer.Streaming", format = Format }));
        return new DataFolder(root, mutex);
    }

    /// <summary>Opens a folder that is there already for this process alone.</summary>
    /// <returns>Null: another process uses it.</returns>
    /// <exception cref="InvalidDataException">The folder has another format.</exception>
    /// <exception cref="IOException">There is no data folder.</exception>
    public static DataFolder? TryOpenExisting(string path)
    {
        OpenToRead(path).Dispose();
        string root = Path.GetFullPath(path);
        if (TryLock(root, out _) is not { } mutex) return null;
        ServerFile.Remove(root);
        return new DataFolder(root, mutex);
    }

    /// <summary>Opens a folder to look into it, beside a running process or not.</summary>
    public static DataFolder OpenToRead(string path)
    {
        string root = Path.GetFullPath(path);
        if (!CheckFormat(path, root)) throw new IOException($"{path} is no data folder; expected one that serve, demo or replay has made.");
        return new DataFolder(root, null);
    }

    /// <returns>False: there is nothing of ours yet.</returns>
    private static bool CheckFormat(string path, string root)
    {
        string file = Path.Combine(root, "format.json");
        if (!File.Exists(file))
        {
            return Array.Find(Parts, part => Directory.Exists(Path.Combine(root, part))) is { } part
                ? throw new InvalidDataException($"{path} holds the folder {part} but no format.json: it was made by another version of this program; expected a new folder or one of format {Format}.")
                : false;
        }
        int? found = ReadFormat(file);
        return found == Format ? true
            : throw new InvalidDataException($"{path} was made by another version of this program: format.json names format {found?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none"}, expected {Format}.");
    }

    private static int? ReadFormat(string file)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(file));
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("format", out JsonElement format)
                && format.ValueKind == JsonValueKind.Number && format.TryGetInt32(out int number) ? number : null;
        }
        catch (JsonException)
        {
            return null; // not ours, or torn: the caller says so
        }
    }

    /// <returns>Null: another process has it; <paramref name="why"/> is what the system says.</returns>
    private static FileStream? TryLock(string root, out IOException? why)
    {
        why = null;
        try
        {
            return new FileStream(Path.Combine(root, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not (PathTooLongException or DirectoryNotFoundException))
        {
            why = e;
            return null;
        }
    }

    public void Dispose()
    {
        if (mutex is null) return;
        ServerFile.Remove(Root);
        mutex.Dispose();
    }
}
