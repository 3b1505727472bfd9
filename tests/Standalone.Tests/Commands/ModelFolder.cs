using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Standalone.Hosting;

namespace BeeFormer.Streaming.Standalone.Tests.Commands;

/// <summary>A data folder with two real, tiny models: the untrained one, and one that is live.</summary>
internal static class ModelFolder
{
    /// <returns>The untrained version and the live one.</returns>
    public static (string First, string Live) Make(string data)
    {
        using DataFolder folder = DataFolder.Open(data);
        var models = new FolderModelStore(folder.Models, TimeProvider.System);
        ModelVersion first = Publish(models, 64, null);
        Assert.True(models.TryMoveLive(null, first));
        ModelVersion second = Publish(models, 32, first);
        Assert.True(models.TryMoveLive(first, second));
        return (first.Value, second.Value);
    }

    public static string EncoderOf(string data, string version) => Path.Combine(data, "models", "models", version, "encoder");

    /// <summary>A file of the version that it does not share with the other: the one that says how long texts may be.</summary>
    public static string OwnFile(string data, string version, string other) => Directory.GetFiles(EncoderOf(data, version))
        .First(file => !File.ReadAllBytes(file).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(EncoderOf(data, other), Path.GetFileName(file)))));

    /// <summary>What another length of texts makes of the same encoder is another model.</summary>
    public static ModelVersion Publish(FolderModelStore models, int length, ModelVersion? parent)
    {
        using EmbeddingModel model = EmbeddingModel.Load(TinyEncoder.Folder, cache: null, length);
        var metrics = new JsonObject { ["challenger"] = new JsonObject { ["all"] = new JsonObject { ["recall@20"] = 0.1234, ["ndcg@100"] = 0.25 }, ["cold"] = null, ["coverage"] = 0.5 } };
        return models.Publish(new ModelDraft(model.Fingerprint, model.Dimension, parent, parent is null ? null : "w", new Dictionary<int, long>(), [], metrics, $"Promoted: texts of {length} tokens."), model.Save).Version;
    }
}
