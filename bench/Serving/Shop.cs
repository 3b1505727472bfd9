using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Standalone.Hosting;

namespace BeeFormer.Streaming.Serving;

/// <summary>
/// A large catalogue whose texts nobody encodes: the encoder's outputs are put into the cache beforehand, around 2,000 centres as embeddings of texts lie. Users buy around three of the centres.
/// </summary>
internal sealed class Shop(StandaloneHost host, int items, int users)
{
    private const int Centres = 2000, InteractionsAUser = 30;
    private const float Noise = 0.7f;

    /// <summary>Made-up words; few are frequent, most are rare, and each centre has some of its own.</summary>
    public static string[] Words { get; } = [.. Enumerable.Range(0, 4000).Select(n => Word(new Random(n)))];

    public async Task FillAsync(CancellationToken cancellationToken)
    {
        ItemEvent[] catalogue = [.. Enumerable.Range(0, items).Select(Item)];
        var models = host.Pipeline.Models;
        ModelVersion first = models.Live!.Value;
        using (var shared = host.Models.Rent(models.EncoderFolder(first), cache: null))
        {
            Encode(shared.ItemEncoder.Fingerprint, shared.ItemEncoder.Dimension, catalogue, cancellationToken);
            var text = new ItemText();
            using var model = new EmbeddingModel(shared.Encoder, Head.Create(shared.ItemEncoder.Dimension, [.. catalogue.Take(50_000).Select(text.WordsOf)], seed: 1), text, cache: null);
            models.PublishLive(new ModelDraft(model.Fingerprint, model.Dimension, first, null, new Dictionary<int, long>(), [], [], "benchmark"), first, model.Save);
        }
        await host.Pipeline.WaitUntilServedAsync(cancellationToken);
        await host.Pipeline.AppendAsync(catalogue, cancellationToken);
        await host.Pipeline.AppendAsync([.. Enumerable.Range(0, users).SelectMany(Interactions)], cancellationToken);
        foreach (string topic in (string[])[Topics.Items, Topics.Interactions]) await host.Pipeline.WaitUntilLandedAsync(topic, null, cancellationToken);
        await host.Pipeline.WaitUntilServedAsync(cancellationToken);
    }

    private void Encode(Fingerprint encoder, int dimension, IReadOnlyList<ItemEvent> catalogue, CancellationToken cancellationToken)
    {
        float[][] centres = [.. Enumerable.Range(0, Centres).Select(n => Gaussian(new Random(n), dimension))];
        var text = new ItemText();
        foreach (var part in catalogue.Index().Chunk(4096))
        {
            var numbers = part.ToDictionary(one => text.Of(one.Item), one => one.Index);
            host.Cache.GetOrCompute(encoder, dimension, [.. numbers.Keys], missing => new EmbeddingMatrix([.. missing.SelectMany(one => Vector(numbers[one]))], dimension), null, cancellationToken);
        }

        float[] Vector(int n)
        {
            float[] vector = [.. Gaussian(new Random(n), dimension).Zip(centres[n % Centres], (own, centre) => Noise * own + centre)];
            float length = MathF.Sqrt(vector.Sum(value => value * value));
            return [.. vector.Select(value => value / length)];
        }
    }

    private static ItemEvent Item(int n)
    {
        var random = new Random(n);
        return new ItemEvent(new ItemId($"item-{n}"), $"{Text(random, n % Centres, 6)} {n}", Text(random, n % Centres, 30),
            new Dictionary<string, JsonElement> { ["price"] = JsonSerializer.SerializeToElement(random.Next(10_000) / 100.0) }, null, true, 1_700_000_000_000);
    }

    private IEnumerable<InteractionEvent> Interactions(int user)
    {
        var random = new Random(user);
        int[] tastes = [random.Next(Centres), random.Next(Centres), random.Next(Centres)];
        long now = host.Time.GetUtcNow().ToUnixTimeMilliseconds();
        for (int n = 0; n < InteractionsAUser; n++)
        {
            int item = tastes[random.Next(tastes.Length)] + Centres * random.Next(items / Centres);
            yield return new InteractionEvent($"{user}-{n}", new UserId($"user-{user}"), new ItemId($"item-{item}"), "purchase", 1, now - random.NextInt64(60L * 86_400_000), null);
        }
    }

    private static float[] Gaussian(Random random, int dimension) => [.. Enumerable.Range(0, dimension).Select(_ => MathF.Sqrt(-2 * MathF.Log(1 - random.NextSingle())) * MathF.Cos(2 * MathF.PI * random.NextSingle()))];

    private static string Text(Random random, int centre, int words) =>
        string.Join(' ', Enumerable.Range(0, words).Select(_ => Words[random.Next(3) == 0 ? (int)(Math.Pow(random.NextDouble(), 3) * Words.Length) : (centre * 7 + random.Next(20)) % Words.Length]));

    private static string Word(Random random) => string.Concat(Enumerable.Range(0, random.Next(2, 5)).Select(_ => $"{"bdfgklmnprstvz"[random.Next(14)]}{"aeiou"[random.Next(5)]}"));
}
