using System.Diagnostics;
using System.IO.Compression;
using System.Xml.Linq;

namespace BeeFormer.Streaming.Client.Tests;

/// <summary>What users of the package get: the package itself, and native code made with it.</summary>
[Collection("Live")]
public sealed class PackageTests(LiveFixture live) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("client-package-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_package_holds_the_library_its_documentation_and_the_readme()
    {
        await BuildAsync("pack", Checkout.At("src", "Client"));
        using var package = ZipFile.OpenRead(Assert.Single(Directory.GetFiles(_folder, "BeeFormer.Client.*.nupkg")));
        var files = package.Entries.Select(entry => entry.FullName).ToList();
        Assert.Contains("README.md", files);
        Assert.Contains("lib/net10.0/BeeFormer.Streaming.Client.dll", files);
        Assert.Contains("lib/net10.0/BeeFormer.Streaming.Client.xml", files);
        using Stream manifest = package.GetEntry("BeeFormer.Client.nuspec")!.Open();
        var described = XDocument.Load(manifest).Descendants().ToList();
        Assert.Equal("Apache-2.0", described.Single(element => element.Name.LocalName == "license").Value);
        Assert.Equal("README.md", described.Single(element => element.Name.LocalName == "readme").Value);
        Assert.Equal(["Polly.Core"], described.Where(element => element.Name.LocalName == "dependency").Select(element => element.Attribute("id")!.Value));
    }

    [Fact]
    public async Task Native_code_makes_every_kind_of_call()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("What native code is linked with is looked for on Linux alone.");
        if (!Programs.Have("clang") && !Programs.Have("gcc")) Patiently.SkipOrFail("No linker for native code: neither clang nor gcc is on this machine.");
        if (!File.Exists("/usr/include/zlib.h")) Patiently.SkipOrFail("zlib's headers (zlib1g-dev) are not on this machine.");
        await BuildAsync("publish", Checkout.At("tests", "Client.Aot"));
        string program = Path.Combine(_folder, "BeeFormer.Streaming.Client.Aot");
        Assert.False(File.Exists(program + ".dll"), "The program is not native.");
        var (code, output) = await LiveServer.RunAsync(new ProcessStartInfo(program, [live.Server.Address.ToString()]));
        Assert.True(code == 0, output);
        Assert.StartsWith("not_found True answered unknown ", output, StringComparison.Ordinal);
    }

    /// <summary>Warnings are errors, those about trimming and native code too. In folders of its own, so that nobody else's build is disturbed.</summary>
    private async Task BuildAsync(string command, string project)
    {
        var start = new ProcessStartInfo(LiveServer.DotNet, [command, project, "-c", "Release", "-o", _folder, "-m:1", "--nologo", $"-p:ArtifactsPath={_folder}/artifacts", "-p:UseSharedCompilation=false"]);
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        var (code, output) = await LiveServer.RunAsync(start);
        Assert.True(code == 0, output);
    }
}
