using System.Runtime.InteropServices;
using System.Text.Json;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>The recorded results: the repository's, or those of the folder that BEEFORMER_GOLDEN names.</summary>
internal static class Golden
{
    public static string Folder(string name)
    {
        if (Environment.GetEnvironmentVariable("BEEFORMER_GOLDEN") is { Length: > 0 } given) return Path.Combine(given, name);
        return Path.Combine(RepositoryRoot(), "tests", "golden", name);
    }

    public static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "BeeFormer.Streaming.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException($"No BeeFormer.Streaming.sln above {AppContext.BaseDirectory}.");
    }

    /// <summary>All float32 tensors of a safetensors file, row-major.</summary>
    public static Dictionary<string, float[]> Tensors(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        int headerLength = checked((int)BitConverter.ToUInt64(bytes));
        using JsonDocument header = JsonDocument.Parse(bytes.AsMemory(8, headerLength));
        var tensors = new Dictionary<string, float[]>();
        foreach (JsonProperty tensor in header.RootElement.EnumerateObject().Where(property => property.Name != "__metadata__"))
        {
            JsonElement offsets = tensor.Value.GetProperty("data_offsets");
            int begin = 8 + headerLength + offsets[0].GetInt32(), end = 8 + headerLength + offsets[1].GetInt32();
            Assert.Equal("F32", tensor.Value.GetProperty("dtype").GetString());
            tensors[tensor.Name] = MemoryMarshal.Cast<byte, float>(bytes.AsSpan(begin..end)).ToArray();
        }
        return tensors;
    }
}
