using System.Text;
using System.Text.Json;
using System.Xml.Linq;

namespace BeeFormer.Streaming.Architecture.Tests;

/// <summary>What comes with the programs and the client may be used commercially, and is listed in <c>docs/licences.md</c> (written with BEEFORMER_WRITE_DOCS=1).</summary>
public class LicenceTests
{
    /// <summary>Where a package leaves the choice (<c>A OR B</c>), one of them is enough.</summary>
    private static readonly string[] Allowed = ["MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause"];

    /// <summary>Packages that name their licence by an address alone, read there by hand.</summary>
    private static readonly Dictionary<string, string> Read = new(StringComparer.OrdinalIgnoreCase)
    {
        ["K4os.Compression.LZ4"] = "MIT",
        ["librdkafka.redist"] = "BSD-2-Clause",
    };

    [Fact]
    public void Every_package_that_is_shipped_may_be_used_commercially_and_is_listed()
    {
        var packages = new[] { "Standalone", "Ingest", "Trainer", "Indexer", "Api", "Client" }.SelectMany(PackagesOf).DistinctBy(package => package.Name).OrderBy(package => package.Name, StringComparer.OrdinalIgnoreCase).ToList();
        Assert.True(packages.Count > 20, $"Only {packages.Count} packages were found.");
        Assert.Empty(packages.Where(package => !package.Licence.Split(" OR ").Any(Allowed.Contains)).Select(package => $"{package.Name} {package.Version}: {package.Licence}"));

        var text = new StringBuilder("# Licences\nPackages that come with the programs and the client; their licences allow commercial use. The bundled all-MiniLM-L6-v2 is Apache-2.0. A test compares this list with what is restored.\n\n| package | version | licence |\n|---|---|---|\n");
        foreach (var (name, version, licence) in packages) text.Append($"| {name} | {version} | {licence} |\n");
        string file = Path.Combine(Repository.Root, "docs", "licences.md");
        if (Environment.GetEnvironmentVariable("BEEFORMER_WRITE_DOCS") == "1") File.WriteAllText(file, text.ToString());
        Assert.Equal(text.ToString(), File.ReadAllText(file));
    }

    private static IEnumerable<(string Name, string Version, string Licence)> PackagesOf(string project)
    {
        string assets = Path.Combine(Repository.Root, "artifacts", "obj", project, "project.assets.json");
        using var json = JsonDocument.Parse(File.ReadAllBytes(assets));
        string[] folders = [.. json.RootElement.GetProperty("packageFolders").EnumerateObject().Select(folder => folder.Name)];
        // Of use while building alone.
        HashSet<string> tools = [.. json.RootElement.GetProperty("project").GetProperty("frameworks").EnumerateObject().SelectMany(framework => framework.Value.GetProperty("dependencies").EnumerateObject())
            .Where(dependency => dependency.Value.TryGetProperty("suppressParent", out var parent) && parent.GetString() == "All").Select(dependency => dependency.Name)];
        foreach (var library in json.RootElement.GetProperty("libraries").EnumerateObject().Where(library => library.Value.GetProperty("type").GetString() == "package"))
        {
            string[] name = library.Name.Split('/');
            if (tools.Contains(name[0])) continue;
            string folder = folders.Select(root => Path.Combine(root, library.Value.GetProperty("path").GetString()!)).First(Directory.Exists);
            var licence = XDocument.Load(Directory.GetFiles(folder, "*.nuspec").Single()).Descendants().FirstOrDefault(element => element.Name.LocalName == "license");
            yield return (name[0], name[1], licence?.Attribute("type")?.Value == "expression" ? licence.Value : Read.GetValueOrDefault(name[0], "none that is named"));
        }
    }
}
