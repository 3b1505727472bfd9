namespace BeeFormer.Streaming.Client.Tests;

/// <summary>The files that the tests look at beside the compiled code.</summary>
internal static class Checkout
{
    public static string Root { get; } = FindRoot();

    public static string At(params string[] path) => Path.Combine([Root, .. path]);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "BeeFormer.Streaming.sln"))) return folder.FullName;
        throw new InvalidOperationException($"No BeeFormer.Streaming.sln above {AppContext.BaseDirectory}.");
    }
}
