using System.Runtime.InteropServices;

namespace BeeFormer.Streaming.Encoder;

/// <summary>Makes a folder about a quarter of its size: int8 matrices with a float32 scale for each 64 neighbours. <see cref="SentenceEncoder.Load(string, int?)"/> opens it; Python does not.</summary>
public static class EncoderCompression
{
    /// <summary>Copies an encoder folder with its matrices compressed. The pooler and position ids are left out; vectors stay float32. The same input gives the same bytes.</summary>
    /// <exception cref="InvalidDataException">The source is not an encoder folder that can be loaded.</exception>
    public static void Compress(string source, string target)
    {
        // Loading checks every file and every shape before anything is written.
        using (SentenceEncoder.Load(source)) { }
        foreach (string file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            string place = Path.Combine(target, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            if (Path.GetFileName(file) == EncoderFolder.WeightsFile) CompressWeights(file, place);
            else if (IsPartOfEncoder(file)) File.WriteAllBytes(place, File.ReadAllBytes(file));
        }
    }

    /// <summary>Other forms of the weights (.bin, .onnx) and documentation of the original stay behind.</summary>
    private static bool IsPartOfEncoder(string file) => Path.GetExtension(file) is ".json" or ".txt" || Path.GetFileName(file) == "LICENSE";

    private static void CompressWeights(string source, string target)
    {
        using SafetensorsFile file = SafetensorsFile.Open(source);
        var tensors = new List<SafetensorsTensor>();
        foreach (SafetensorsEntry entry in file.Entries)
        {
            if (WeightFiles.IsLeftOut(file, entry.Name)) continue;
            if (entry.Shape.Count != 2)
            {
                float[] values = file.ReadFloats(entry.Name);
                tensors.Add(SafetensorsTensor.Of(entry.Name, values, [.. entry.Shape]));
                continue;
            }
            int columns = (int)entry.Shape[1], group = GroupQuantiser.GroupOf(columns, GroupQuantiser.DefaultGroup);
            (sbyte[] quantised, float[] scales) = GroupQuantiser.Quantise(file.ReadFloats(entry.Name), group);
            tensors.Add(new SafetensorsTensor(entry.Name, SafetensorsType.I8, entry.Shape, () => MemoryMarshal.AsBytes<sbyte>(quantised).ToArray()));
            tensors.Add(SafetensorsTensor.Of(entry.Name + SafetensorsFile.ScaleSuffix, scales, entry.Shape[0], columns / group));
        }
        SafetensorsWriter.Write(target, [.. tensors.OrderBy(t => t.Name, StringComparer.Ordinal)], file.Metadata);
    }
}
