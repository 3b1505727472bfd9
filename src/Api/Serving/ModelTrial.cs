using BeeFormer.Streaming.ModelStore;

namespace BeeFormer.Streaming.Api;

/// <summary>Looks whether a model still works before it may serve: it loads, it is the one that its manifest names, and it tells a few texts apart.</summary>
public static class ModelTrial
{
    /// <summary>Words, a sentence and a number: what queries look like.</summary>
    private static readonly string[] Canaries = ["printer", "A wooden chair for the garden.", "42"];

    /// <param name="folder">The model's folder, in a store or not yet.</param>
    /// <exception cref="InvalidDataException">Says what is wrong with it.</exception>
    public static void Check(ModelManifest manifest, string folder)
    {
        using IQueryEmbedder model = QueryEmbedder.Load(manifest, folder);
        if (Problem(model, manifest) is { } problem) throw new InvalidDataException($"{folder}: {problem}");
    }

    /// <returns>Null: the model works.</returns>
    internal static string? Problem(IQueryEmbedder model, ModelManifest manifest)
    {
        var vectors = new List<float[]>();
        foreach (string canary in Canaries)
        {
            float[] vector = model.EmbedQuery(canary);
            if (vector.Length != manifest.Model.Dimension) return $"its vectors have {vector.Length} dimensions, its manifest says {manifest.Model.Dimension}.";
            if (!Array.TrueForAll(vector, float.IsFinite)) return $"it embeds \"{canary}\" as numbers that are not finite.";
            vectors.Add(vector);
        }
        return vectors.Skip(1).All(vector => vector.AsSpan().SequenceEqual(vectors[0])) ? $"it embeds \"{string.Join("\", \"", Canaries)}\" all the same." : null;
    }
}
