namespace BeeFormer.Streaming.Servers;

/// <summary>Where the repository lies, and what was built in it.</summary>
public static class Checkout
{
    public static string Root { get; } = FindRoot();

    /// <summary>Of a project, as <c>dotnet build</c> leaves it, in the configuration of the program that asks.</summary>
    public static string Built(string project, string file) => Path.Combine(Root, "artifacts", "bin", project, Path.GetFileName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)), file);

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "BeeFormer.Streaming.sln"))) return folder.FullName;
        throw new InvalidOperationException("The programs are not in a checkout of the repository.");
    }
}
