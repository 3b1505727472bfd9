using System.IO.Compression;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>What a real Qdrant server was asked and answered: the repository's recording, or that of the folder that BEEFORMER_GOLDEN names.</summary>
internal static class TranscriptFolder
{
    private static readonly string Folder = Path.Combine(
        Environment.GetEnvironmentVariable("BEEFORMER_GOLDEN") is { Length: > 0 } given ? given : Path.Combine(RepositoryRoot(), "tests", "golden"), "qdrant");

    /// <param name="name">Of a file of lines, which may be compressed.</param>
    public static IReadOnlyList<string> Lines(string name)
    {
        var plain = Path.Combine(Folder, name);
        if (File.Exists(plain)) return File.ReadAllLines(plain);
        using var reader = new StreamReader(new GZipStream(File.OpenRead(plain + ".gz"), CompressionMode.Decompress));
        var lines = new List<string>();
        while (reader.ReadLine() is { } line) lines.Add(line);
        return lines;
    }

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "BeeFormer.Streaming.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException($"No BeeFormer.Streaming.sln above {AppContext.BaseDirectory}.");
    }
}
