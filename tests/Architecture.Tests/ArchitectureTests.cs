namespace BeeFormer.Streaming.Architecture.Tests;

/// <summary>The rules that keep the data flow visible in the folder list.</summary>
public class ArchitectureTests
{
    private static readonly string[] Services = ["Ingest", "Trainer", "Indexer", "Api"];
    private static readonly string[] Libraries = ["EventLog", "WindowStore", "Profiles", "Encoder", "ModelStore", "VectorIndex"];
    private static readonly string[] Others = ["Contracts", "ServiceDefaults", "Standalone", "Client"];

    [Fact]
    public void Every_project_has_its_place_in_the_picture() =>
        Assert.Equal([.. Services.Concat(Libraries).Concat(Others).Order(StringComparer.Ordinal)], Repository.Projects);

    [Fact]
    public void Services_never_reference_services()
    {
        foreach (string service in Services)
            Assert.Empty(Repository.ReferencesOf(service).Intersect(Services));
    }

    [Fact]
    public void Only_standalone_references_services()
    {
        foreach (string project in Repository.Projects.Where(name => name != "Standalone"))
            Assert.Empty(Repository.ReferencesOf(project).Intersect(Services));
        Assert.Equal(Services.Order(), Repository.ReferencesOf("Standalone").Intersect(Services).Order());
    }

    [Fact]
    public void Libraries_reference_contracts_and_nothing_else()
    {
        foreach (string library in Libraries)
            Assert.Equal(["Contracts"], Repository.ReferencesOf(library));
    }

    [Fact]
    public void Contracts_have_no_packages_and_no_references()
    {
        Assert.Empty(Repository.ReferencesOf("Contracts"));
        Assert.Empty(Repository.PackagesOf("Contracts"));
    }

    [Fact]
    public void A_service_reads_and_writes_only_its_own_arrows()
    {
        var arrows = new Dictionary<string, string[]>
        {
            ["Ingest"] = ["EventLog", "WindowStore", "Profiles"],
            ["Trainer"] = ["WindowStore", "Encoder", "ModelStore"],
            ["Indexer"] = ["EventLog", "WindowStore", "Encoder", "ModelStore", "VectorIndex"],
            ["Api"] = ["EventLog", "Profiles", "Encoder", "ModelStore", "VectorIndex"],
        };
        foreach ((string service, string[] libraries) in arrows)
            Assert.Equal(libraries.Order(), Repository.ReferencesOf(service).Intersect(Libraries).Order());
    }

    [Fact]
    public void No_project_or_type_is_named_after_nothing()
    {
        string[] empty = ["Common", "Core", "Utils", "Util", "Shared", "Helper", "Helpers", "Manager"];
        foreach (string project in Repository.Projects)
        {
            Assert.DoesNotContain(project, empty);
            foreach (string source in Repository.SourcesOf(project))
            {
                string name = Path.GetFileNameWithoutExtension(source);
                Assert.False(empty.Any(word => name.EndsWith(word, StringComparison.Ordinal)), $"{source}: the name says nothing about what is in it.");
            }
        }
    }

    [Fact]
    public void Namespaces_follow_the_project_folder()
    {
        foreach (string project in Repository.Projects)
        foreach (string source in Repository.SourcesOf(project))
        {
            string? declared = File.ReadLines(source).FirstOrDefault(line => line.StartsWith("namespace ", StringComparison.Ordinal));
            if (declared is null) continue; // top-level statements, global usings
            if (declared == "namespace BeeFormer.Streaming;") continue; // compiled into several projects
            Assert.StartsWith($"namespace BeeFormer.Streaming.{project}", declared, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Versions_of_packages_stand_in_one_file_only()
    {
        foreach (string file in Directory.EnumerateFiles(Repository.Root, "*.csproj", SearchOption.AllDirectories))
            Assert.DoesNotContain(" Version=", File.ReadAllText(file), StringComparison.Ordinal);
    }
}
