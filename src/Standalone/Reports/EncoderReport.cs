using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Standalone.Reports;

/// <summary>What <c>encoder info</c> tells: the loaded encoder, and its files.</summary>
/// <param name="WeightTypes">Types of the tensors in its safetensors files, that of most bytes first.</param>
/// <param name="WeightBytes">Bytes of those files.</param>
/// <param name="Head">Null: the folder holds no head.</param>
internal sealed record EncoderReport(
    string Folder, string Architecture, int Dimension, long Parameters, int Layers, int HiddenSize, int Heads, int VocabularySize, string Tokenizer, int MaxSequenceLength,
    string Pooling, IReadOnlyList<string> Modules, string DefaultPrompt, string DocumentPrompt, string QueryPrompt, IReadOnlyList<string> WeightTypes, long WeightBytes, string? Licence,
    string Fingerprint, HeadReport? Head)
{
    public static EncoderReport Read(string folder)
    {
        using EmbeddingModel model = EmbeddingModel.Load(folder, cache: null);
        EncoderInfo info = model.Encoder.Info;
        (string[] types, long bytes) = Weights(folder);
        return new EncoderReport(Path.GetFullPath(folder), info.Architecture, info.Dimension, info.Parameters, info.Layers, info.HiddenSize, info.Heads, info.VocabularySize, info.Tokenizer,
            info.MaxSequenceLength, info.Pooling, info.Modules, info.DefaultPrompt, info.DocumentPrompt, info.QueryPrompt, types, bytes, EncoderLicence.Of(folder), info.Fingerprint.Value,
            model.Head is { } head ? new HeadReport(head.Dimension, head.Vocabulary.Words.Count, head.Fingerprint.Value, model.Fingerprint.Value) : null);
    }

    private static (string[] Types, long Bytes) Weights(string folder)
    {
        var bytesOf = new Dictionary<SafetensorsType, long>();
        long bytes = 0;
        foreach (string path in Directory.EnumerateFiles(folder, "*.safetensors", SearchOption.AllDirectories))
        {
            using SafetensorsFile file = SafetensorsFile.Open(path);
            foreach (SafetensorsEntry entry in file.Entries) bytesOf[entry.Type] = bytesOf.GetValueOrDefault(entry.Type) + entry.End - entry.Begin;
            bytes += new FileInfo(path).Length;
        }
        return ([.. bytesOf.OrderByDescending(type => type.Value).ThenBy(type => type.Key).Select(type => type.Key.ToString())], bytes);
    }
}

/// <param name="Words">Words that have a vector of their own.</param>
/// <param name="ModelFingerprint">Covers encoder, head and text template: the one that names collections.</param>
internal sealed record HeadReport(int Dimension, int Words, string Fingerprint, string ModelFingerprint);
