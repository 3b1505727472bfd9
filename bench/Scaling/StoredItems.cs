using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Scaling;

/// <summary>What an item costs in a collection of the embedded index on disk: vectors of 384 numbers, a title of 30 characters, one attribute.</summary>
internal static class StoredItems
{
    private const int Dimension = 384;

    public static async Task MeasureAsync(string folder, IReadOnlyList<int> sizes)
    {
        var attributes = new Dictionary<string, JsonElement> { ["category"] = JsonElement.Parse("\"garden\"") };
        Console.WriteLine("| items | loaded, s | bytes an item on disk |");
        Console.WriteLine("|---|---|---|");
        foreach (int items in sizes)
        {
            string place = Path.Combine(folder, $"{items}");
            var random = new Random(1);
            var clock = Stopwatch.StartNew();
            await using (ServiceProvider services = new ServiceCollection().AddEmbeddedVectorIndex(place).BuildServiceProvider())
            {
                var index = services.GetRequiredService<IVectorIndex>();
                await index.CreateAsync(new CollectionInfo("items", Dimension, new Fingerprint(new string('a', 64)), new ModelVersion("000001-aaaaaaaa")), default);
                for (int first = 0; first < items; first += 1_000)
                    await index.LoadAsync("items", [.. Enumerable.Range(first, Math.Min(1_000, items - first)).Select(n => new IndexedItem(new ItemId($"item-{n:D8}"), n, [.. Enumerable.Range(0, Dimension).Select(_ => random.NextSingle() - .5f)], $"a title of some words {n:D8}", true, attributes))], default);
                await index.SettleAsync("items", default);
            }
            double seconds = clock.Elapsed.TotalSeconds;
            long bytes = Directory.EnumerateFiles(place, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {items:N0} | {seconds:F1} | {bytes / (double)items:F0} |"));
        }
    }
}
