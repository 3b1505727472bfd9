using System.Text.Json.Nodes;

namespace BeeFormer.Streaming.Deployment.Tests;

/// <summary>What is shipped holds no package with a known vulnerability.</summary>
public sealed class AuditTests
{
    private static string DotNet => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host : "dotnet";

    [Fact]
    public async Task No_shipped_package_has_a_known_vulnerability()
    {
        // A package of which everybody knows one tells whether the registry tells of any.
        string folder = Directory.CreateTempSubdirectory("beeformer-audit-").FullName;
        try
        {
            string known = Path.Combine(folder, "known.csproj");
            await File.WriteAllTextAsync(known, """<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>net10.0</TargetFramework><NuGetAudit>false</NuGetAudit></PropertyGroup><ItemGroup><PackageReference Include="Newtonsoft.Json" Version="12.0.1" /></ItemGroup></Project>""", TestContext.Current.CancellationToken);
            await Repository.RunAsync(null, DotNet, "restore", known);
            if (!(await AskAsync(known)).Contains("Newtonsoft.Json 12.0.1")) Assert.Skip("The registry tells of no vulnerabilities: not even of those of Newtonsoft.Json 12.0.1.");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        foreach (string project in (string[])["Standalone", "Client"]) Assert.Empty(await AskAsync(Repository.PathOf("src", project, $"{project}.csproj")));
    }

    /// <returns>Names and versions of packages with known vulnerabilities.</returns>
    private static async Task<IReadOnlyList<string>> AskAsync(string project)
    {
        var report = JsonNode.Parse(await Repository.RunAsync(null, DotNet, "list", project, "package", "--no-restore", "--vulnerable", "--include-transitive", "--format", "json"))!;
        return [.. from listed in report["projects"]!.AsArray()
                   from framework in listed!["frameworks"]?.AsArray() ?? []
                   from package in (framework!["topLevelPackages"]?.AsArray() ?? []).Concat(framework["transitivePackages"]?.AsArray() ?? [])
                   select $"{package!["id"]} {package["resolvedVersion"]}"];
    }
}
