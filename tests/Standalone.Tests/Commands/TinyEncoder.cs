namespace BeeFormer.Streaming.Standalone.Tests.Commands;

/// <summary>The recorded encoder of 32 dimensions, with what Python made of its texts.</summary>
internal static class TinyEncoder
{
    private static readonly string Golden = Environment.GetEnvironmentVariable("BEEFORMER_GOLDEN") is { Length: > 0 } other ? other : Path.Combine(Repository(), "tests", "golden");

    public static string Recorded(string file) => Path.Combine(Golden, "encoder", "tiny-bert", file);

    /// <summary>The repository's own: a fixture, whatever else is recorded.</summary>
    public static string Folder { get; } = Path.Combine(Repository(), "tests", "golden", "encoder", "tiny-bert", "model");

    public static void CopyTo(string folder)
    {
        foreach (string file in Directory.GetFiles(Folder, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(folder, Path.GetRelativePath(Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    private static string Repository()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "BeeFormer.Streaming.sln"))) folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("No folder above the tests holds BeeFormer.Streaming.sln.");
    }
}
