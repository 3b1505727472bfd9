namespace BeeFormer.Streaming.Standalone.Tests.Evaluation;

/// <summary>Data sets that lie beside the repository and are not part of it.</summary>
internal static class RealData
{
    /// <returns>Null when the data set is not there; CI must have it.</returns>
    public static string? Folder(string name)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "BeeFormer.Streaming.sln"))) continue;
            string data = Path.Combine(folder.FullName, "..", "shared", "data", name);
            if (Directory.Exists(data)) return data;
            break;
        }
        return Environment.GetEnvironmentVariable("CI") == "true" ? throw new DirectoryNotFoundException($"CI needs the data set {name} beside the repository.") : null;
    }
}
