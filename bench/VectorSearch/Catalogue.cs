using System.Numerics.Tensors;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;

/// <summary>Synthetic item vectors of length 1: around 2,000 centres, as embeddings of texts lie, or without any structure, the hard case.</summary>
internal sealed class Catalogue(int items, int dimension, bool clustered)
{
    private const int Centres = 2000;
    private const float Noise = 0.7f; // of a centre's length; an item's cosine to its centre is then about 0.8
    private readonly Random random = new(1);
    private readonly float[][] centres = [.. Seeded(Centres, dimension)];

    public static Fingerprint Model { get; } = new(new string('a', 64));
    public int Items => items;
    public int Dimension => dimension;
    public string Name => clustered ? "clustered" : "unstructured";

    /// <summary>[items, dimension], the plain scan's; in chunks, since there may be more bytes than an array holds.</summary>
    public float[][] Vectors { get; private set; } = [];

    public void Make() => Vectors = [.. Enumerable.Range(0, items).Select(_ => Vector())];

    public float[] Vector()
    {
        float[] vector = Gaussian(random, dimension);
        if (clustered) TensorPrimitives.MultiplyAdd<float>(vector, Noise, centres[random.Next(Centres)], vector);
        TensorPrimitives.Divide(vector, TensorPrimitives.Norm<float>(vector), vector);
        return vector;
    }

    /// <summary>Its attributes let filters pass a tenth and a thousandth.</summary>
    public IndexedItem Item(int n, long revision) => new(new ItemId($"item-{n}"), revision, Vectors[n], $"Item {n}", true, new Dictionary<string, JsonElement>
    {
        ["tenth"] = Numbers[n % 10], ["thousandth"] = Numbers[n % 1000], ["brand"] = Brands[n % Brands.Length],
    });

    private static readonly JsonElement[] Numbers = [.. Enumerable.Range(0, 1000).Select(n => JsonSerializer.SerializeToElement(n))];
    private static readonly JsonElement[] Brands = [.. Enumerable.Range(0, 77).Select(n => JsonSerializer.SerializeToElement($"brand {n}"))];

    private static IEnumerable<float[]> Seeded(int count, int dimension)
    {
        var random = new Random(2);
        for (int n = 0; n < count; n++) yield return Gaussian(random, dimension);
    }

    /// <summary>Of length about 1.</summary>
    private static float[] Gaussian(Random random, int dimension)
    {
        var vector = new float[dimension];
        double scale = Math.Sqrt(12.0 / 3 / dimension);
        for (int d = 0; d < dimension; d++) vector[d] = (float)((random.NextSingle() + random.NextSingle() + random.NextSingle() - 1.5) * scale);
        return vector;
    }
}
