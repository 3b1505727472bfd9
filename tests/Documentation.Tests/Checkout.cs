using System.Globalization;

namespace BeeFormer.Streaming.Documentation.Tests;

/// <summary>The documents, and how a generated one is compared or, with <c>BEEFORMER_WRITE_DOCS=1</c>, written.</summary>
internal static class Checkout
{
    public static string Root { get; } = FindRoot();

    public static string At(params string[] path) => Path.Combine([Root, .. path]);

    /// <summary>Every page that people read.</summary>
    public static IEnumerable<string> Pages =>
        Directory.EnumerateFiles(At("docs"), "*.md", SearchOption.AllDirectories).Concat([At("README.md"), At("CONTRIBUTING.md"), At("CHANGELOG.md"), At("bench", "README.md"), At("src", "Client", "README.md")]);

    public static string NameOf(string page) => Path.GetRelativePath(Root, page);

    /// <summary>Fails while the file is not what the code says.</summary>
    public static void HoldsGenerated(string file, string text)
    {
        if (Environment.GetEnvironmentVariable("BEEFORMER_WRITE_DOCS") == "1") File.WriteAllText(file, text);
        string written = File.Exists(file) ? File.ReadAllText(file) : "";
        if (written == text) return;
        var (found, should) = (written.Split('\n'), text.Split('\n'));
        int line = found.Zip(should).TakeWhile(pair => pair.First == pair.Second).Count();
        Assert.Fail(string.Create(CultureInfo.InvariantCulture, $"{NameOf(file)} is out of date from line {line + 1} on: expected {should.ElementAtOrDefault(line) ?? "its end"}. Write it anew: BEEFORMER_WRITE_DOCS=1 dotnet test --project tests/Documentation.Tests"));
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "BeeFormer.Streaming.sln"))) return folder.FullName;
        throw new InvalidOperationException($"No BeeFormer.Streaming.sln above {AppContext.BaseDirectory}.");
    }
}
