using System.IO.Compression;
using System.Text;

namespace BeeFormer.Streaming.Standalone.Tests.DataSets;

/// <summary>A folder of its own for each test.</summary>
internal sealed class Files : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("beeformer-").FullName;

    public string Write(string name, string content) => Write(name, Encoding.UTF8.GetBytes(content));

    public string Write(string name, byte[] content)
    {
        string file = Path.Combine(Folder, name);
        File.WriteAllBytes(file, content);
        return file;
    }

    public string WriteGzip(string name, string content) => Write(name, Gzip(content));

    public static byte[] Gzip(string content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(Encoding.UTF8.GetBytes(content));
        return packed.ToArray();
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
