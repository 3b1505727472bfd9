using System.Diagnostics;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.Indexer;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.VectorIndex;

namespace BeeFormer.Streaming.Reindexing;

/// <summary>A new head over outputs that are in the cache: random numbers here, since encoding so many texts takes long and their values do not matter.</summary>
internal static class HeadExchange
{
    private const int Heads = 5;

    public static async Task RunAsync(int items, string[] settings, CancellationToken cancellationToken)
    {
        await using var shop = await Shop.OpenAsync(items, settings, cancellationToken);
        using var encoder = SentenceEncoder.Load(SentenceEncoder.DefaultFolder);
        var text = new ItemText();
        var random = new Random(1);
        foreach (var part in shop.Items.Chunk(4096))
            shop.Cache.GetOrCompute(encoder.Fingerprint, encoder.Dimension, [.. part.Select(text.Of)], texts => new EmbeddingMatrix([.. Enumerable.Range(0, texts.Count * encoder.Dimension).Select(_ => random.NextSingle() - 0.5f)], encoder.Dimension), null, cancellationToken);
        ModelManifest[] models = [.. Enumerable.Range(0, 1 + Heads).Select(seed => shop.Publish(encoder, seed))];
        await shop.StartAsync(cancellationToken);

        Console.WriteLine($"{items} items, outputs of {encoder.Dimension} numbers in the cache (synthetic)");
        var times = new List<double>();
        foreach (var model in models)
        {
            long allocated = GC.GetTotalAllocatedBytes();
            var (clock, cpu) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
            await shop.SwitchAsync(model, cancellationToken);
            if (model != models[0]) times.Add(clock.Elapsed.TotalSeconds);
            Console.WriteLine($"  {(model == models[0] ? "first collection" : "new head"),-18}{clock.Elapsed.TotalSeconds,7:F2} s, {(Environment.CpuUsage.TotalTime - cpu).TotalSeconds,6:F2} s of CPU, {(GC.GetTotalAllocatedBytes() - allocated) / 1e6,6:F0} MB allocated, peak {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:F0} MB");
        }
        // One of them waits for the comparison of index and catalogue that follows a start.
        Console.WriteLine($"  a new head, median {times.Order().ElementAt(Heads / 2),5:F2} s");
        await PartsAsync(shop, models[^1], cancellationToken);
    }

    /// <summary>The same work piece by piece, one after the other.</summary>
    private static async Task PartsAsync(Shop shop, ModelManifest manifest, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        void Report(string what)
        {
            Console.WriteLine($"  {what,-46}{clock.Elapsed.TotalSeconds,7:F2} s");
            clock.Restart();
        }

        Console.WriteLine("piece by piece:");
        using var shared = new SharedModels().Rent(shop.Models.EncoderFolder(manifest.Version), shop.Cache);
        Report("model loaded");
        long before = GC.GetTotalMemory(forceFullCollection: true);
        clock.Restart();
        using var catalogue = await CatalogueSnapshot.ReadAsync(shop.Windows, shop.Log, ItemEvents.Reader(new EventClock(TimeSpan.FromMinutes(5))), new Dictionary<int, long> { [0] = shop.Items.Count }, 0, cancellationToken);
        Report("catalogue read");
        Console.WriteLine($"  catalogue in memory: {(GC.GetTotalMemory(forceFullCollection: true) - before) / (double)shop.Items.Count:F0} bytes an item");
        clock.Restart();
        var descriptions = catalogue.Items.Chunk(4096).Select(catalogue.Read).ToList();
        Report("descriptions read from their file");
        foreach (var part in descriptions)
        {
            string[] texts = [.. part.Select(item => shared.Text.Of(item.Event!))];
            shop.Cache.GetOrCompute(shared.ItemEncoder.Fingerprint, shared.ItemEncoder.Dimension, texts, _ => throw new InvalidOperationException("All outputs are in the cache."), null, cancellationToken);
        }
        Report("outputs looked up");
        foreach (var part in descriptions) shared.Head!.TfIdf([.. part.Select(item => shared.Text.WordsOf(item.Event!))]);
        Report("words");
        var vectors = descriptions.Select(part => shared.EmbedItems([.. part.Select(item => item.Event!)], null, cancellationToken)).ToList();
        Report("vectors (outputs, words and product)");
        var info = new CollectionInfo("pieces", shared.Dimension, shared.Fingerprint, manifest.Version);
        await shop.Index.CreateAsync(info, cancellationToken);
        foreach (var (part, matrix) in descriptions.Zip(vectors))
            await shop.Index.LoadAsync(info.Name, [.. part.Select((item, n) => new IndexedItem(item.Id, item.Offset, matrix.Row(n).ToArray(), item.Event!.Title, true, item.Event.Attributes))], cancellationToken);
        Report("loaded into a collection");
        await shop.Index.SettleAsync(info.Name, cancellationToken);
        Report("settled");
    }
}
