namespace BeeFormer.Streaming.ServiceDefaults.Tests;

internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "BeeFormer.Streaming.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
