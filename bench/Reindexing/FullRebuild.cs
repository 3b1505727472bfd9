using System.Diagnostics;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.EventLog.Events;
using BeeFormer.Streaming.ModelStore;

namespace BeeFormer.Streaming.Reindexing;

/// <summary>Every text encoded, beside the encoder alone on the same texts; and what an event waits while it goes on.</summary>
internal static class FullRebuild
{
    public static async Task RunAsync(int items, string[] settings, CancellationToken cancellationToken)
    {
        await using var shop = await Shop.OpenAsync(items, settings, cancellationToken);
        var text = new ItemText();
        double alone;
        ModelManifest first, second;
        using (var encoder = SentenceEncoder.Load(SentenceEncoder.DefaultFolder))
        {
            encoder.Encode([.. shop.Items.Take(64).Select(text.Of)], TextRole.Document, null, cancellationToken);
            var own = Stopwatch.StartNew();
            encoder.Encode([.. shop.Items.Select(text.Of)], TextRole.Document, null, cancellationToken);
            alone = own.Elapsed.TotalSeconds;

            // The first collection is of another encoder, cut to fewer tokens, so that all is encoded anew for the second.
            using var shorter = SentenceEncoder.Load(SentenceEncoder.DefaultFolder, maxSequenceLength: 16);
            (first, second) = (shop.Publish(shorter, 1), shop.Publish(encoder, 1));
        }
        await shop.StartAsync(cancellationToken);
        await shop.SwitchAsync(first, cancellationToken);

        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var waiting = EventsAsync(shop, Shop.CollectionOf(first), over.Token);
        var clock = Stopwatch.StartNew();
        await shop.SwitchAsync(second, cancellationToken);
        double rebuild = clock.Elapsed.TotalSeconds;
        await over.CancelAsync();
        double[] waits = [.. (await waiting).Order()];

        // Events are encoded twice meanwhile, for both collections: that is work of the encoder, too.
        Console.WriteLine($"{items} items, encoded with all-MiniLM-L6-v2");
        Console.WriteLine($"  encoder alone     {alone,7:F2} s, {items / alone,7:F0} items/s");
        Console.WriteLine($"  full rebuild      {rebuild,7:F2} s, {items / rebuild,7:F0} items/s, with {waits.Length} events meanwhile; {Math.Max(0, 1 - alone / rebuild):P0} of its time is not the encoder's own");
        if (waits.Length > 0) Console.WriteLine($"  event to searchable meanwhile: median {waits[waits.Length / 2]:F2} s, longest {waits[^1]:F2} s");
    }

    /// <summary>A new item every half second; how long until it can be found.</summary>
    private static async Task<List<double>> EventsAsync(Shop shop, string collection, CancellationToken over)
    {
        var waits = new List<double>();
        using var every = new PeriodicTimer(TimeSpan.FromSeconds(0.5));
        try
        {
            for (int n = 10_000_000; await every.WaitForNextTickAsync(over); n++)
            {
                var item = Shop.Item(n);
                var clock = Stopwatch.StartNew();
                await shop.Log.AppendAsync(Topics.Items, [ItemJson.Record(item)], over);
                using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
                while ((await shop.Index.FetchAsync(collection, [item.ItemId], over)).Count == 0) await look.WaitForNextTickAsync(over);
                waits.Add(clock.Elapsed.TotalSeconds);
            }
        }
        catch (OperationCanceledException)
        {
            // The rebuild is over.
        }
        return waits;
    }
}
