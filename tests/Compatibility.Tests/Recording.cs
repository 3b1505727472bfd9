using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using BeeFormer.Streaming.Servers;

namespace BeeFormer.Streaming.Compatibility.Tests;

/// <summary>What one version of the program wrote: <c>tests/compat/&lt;version&gt;/</c>. It stays as it is for ever.</summary>
internal sealed class Recording(string version)
{
    private static readonly JsonSerializerOptions s_readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static string Root => Path.Combine(Checkout.Root, "tests", "compat");

    /// <summary>Of the encoder that every recording was made with: 32 dimensions.</summary>
    public static string Encoder => Path.Combine(Checkout.Root, "tests", "golden", "encoder", "tiny-bert", "model");

    public static TheoryData<string> Versions => [.. Directory.EnumerateDirectories(Root).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)];

    public string Folder => Path.Combine(Root, version);
    public string Archive => Path.Combine(Folder, "model.tar");

    public JsonObject Read(string file) => JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, file)))!.AsObject();

    public IEnumerable<JsonObject> Lines(string file) => File.ReadLines(Path.Combine(Folder, file)).Select(line => JsonNode.Parse(line)!.AsObject());

    public void Write(string file, JsonObject json) => File.WriteAllText(Path.Combine(Folder, file), json.ToJsonString(s_readable) + "\n");

    public void WriteLines(string file, IEnumerable<JsonObject> lines) => File.WriteAllLines(Path.Combine(Folder, file), lines.Select(line => line.ToJsonString(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping })));

    public void Pack(string folder, string file)
    {
        using var packed = new GZipStream(File.Create(Path.Combine(Folder, file)), CompressionLevel.SmallestSize);
        TarFile.CreateFromDirectory(folder, packed, includeBaseDirectory: false);
    }

    /// <summary>A copy, to be opened and changed.</summary>
    public void Unpack(string file, string folder)
    {
        Directory.CreateDirectory(folder);
        using var packed = new GZipStream(File.OpenRead(Path.Combine(Folder, file)), CompressionMode.Decompress);
        TarFile.ExtractToDirectory(packed, folder, overwriteFiles: false);
    }

    /// <summary>Section by section, so that a failure shows what differs and not all there is.</summary>
    public static void AssertSame(JsonObject expected, JsonObject actual)
    {
        Assert.NotEmpty(expected);
        foreach (var (section, value) in expected) Assert.Equal(Text(value), Text(actual[section]));
    }

    private static string Text(JsonNode? value) => value?.ToJsonString(s_readable) ?? "nothing";
}

/// <summary>A folder that goes with the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("beeformer-compat-").FullName;

    public string Of(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
