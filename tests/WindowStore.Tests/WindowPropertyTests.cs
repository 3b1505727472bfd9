using BeeFormer.Streaming.Contracts;
using FsCheck.Xunit;

namespace BeeFormer.Streaming.WindowStore.Tests;

/// <summary>Random histories in random segment layouts against a plain reading of the definition.</summary>
public sealed class WindowPropertyTests
{
    private static readonly string[] Types = ["view", "purchase", "rating", "other"];

    [Property(MaxTest = 60, Replay = "(4711,17)")]
    public void A_window_is_what_its_definition_says_in_every_layout(int seed)
    {
        var random = new Random(seed);
        var history = Enumerable.Range(0, 3).SelectMany(p => Enumerable.Range(0, random.Next(40)).Select(o => (Partition: p, Row: Row(random, o)))).ToList();
        var query = new WindowQuery
        {
            FromMs = random.Next(2) == 0 ? null : random.Next(50), ToMs = random.Next(2) == 0 ? null : random.Next(50, 100),
            LastN = random.Next(2) == 0 ? null : random.Next(60), MinItemsPerUser = random.Next(1, 4), MinUsersPerItem = random.Next(1, 4),
            AsOf = random.Next(2) == 0 ? null : new Dictionary<int, long> { [0] = random.Next(40), [2] = random.Next(40) },
        };
        string[] expected = Expected(history, query);
        string? hash = null;
        for (int layout = 0; layout < 2; layout++)
        {
            using var folder = new TemporaryFolder();
            var store = new ParquetWindowStore(folder.Path);
            foreach (var partition in history.GroupBy(h => h.Partition)) WriteInPieces(random, store, partition.Key, [.. partition.Select(h => h.Row)]);
            if (layout == 1) store.Compact();
            var window = store.Read(query);
            Assert.Equal(expected, window.Lines());
            Assert.Equal(hash ??= window.ContentHash, window.ContentHash);
        }
    }

    private static StoredInteraction Row(Random random, int offset)
    {
        string type = Types[random.Next(Types.Length)];
        return new(offset, $"e{random.Next(80)}", new UserId($"u{random.Next(5)}"), new ItemId($"i{random.Next(6)}"), type, type == "rating" ? random.Next(1, 6) : null, random.Next(100), null);
    }

    private static void WriteInPieces(Random random, ParquetWindowStore store, int partition, StoredInteraction[] rows)
    {
        for (int start = 0; start < rows.Length;)
        {
            int count = Math.Min(random.Next(1, 12), rows.Length - start);
            Assert.True(store.TryWriteInteractions(partition, start, start + count - 1, rows[start..(start + count)]));
            start += count;
        }
    }

    private static string[] Expected(List<(int Partition, StoredInteraction Row)> history, WindowQuery query)
    {
        var rows = history
            .Where(h => query.AsOf is null || (query.AsOf.TryGetValue(h.Partition, out long end) && h.Row.Offset < end))
            .Where(h => (query.FromMs is not { } from || h.Row.TimestampMs >= from) && (query.ToMs is not { } to || h.Row.TimestampMs < to))
            .OrderBy(h => h.Partition).ThenBy(h => h.Row.Offset).DistinctBy(h => h.Row.EventId).Select(h => h.Row)
            .Where(r => r.Type is "view" or "purchase" || (r.Type == "rating" && r.Value >= 4))
            .OrderBy(r => r.TimestampMs).ThenBy(r => r.User).ThenBy(r => r.Item).ThenBy(r => r.Type, StringComparer.Ordinal).ToList();
        if (query.LastN is { } n) rows = [.. rows.TakeLast(n)];
        while (true)
        {
            var kept = rows
                .Where(r => rows.Where(o => o.User == r.User).Select(o => o.Item).Distinct().Count() >= query.MinItemsPerUser)
                .Where(r => rows.Where(o => o.Item == r.Item).Select(o => o.User).Distinct().Count() >= query.MinUsersPerItem).ToList();
            if (kept.Count == rows.Count) break;
            rows = kept;
        }
        return [.. rows.Select(r => $"{r.User} {r.Item} {(r.Type == "view" ? 0.1f : 1f):R}@{r.TimestampMs}")];
    }
}
