using System.Text.Json;
using BeeFormer.Streaming.EventLog;

namespace BeeFormer.Streaming.Chaos;

/// <summary>What Kafka holds, read once from the beginning: the truth that the stores are compared with.</summary>
/// <param name="Events">Per event id the purchase or click; a repeated id counts once.</param>
/// <param name="Interactions">Messages in topic <c>interactions</c>, repetitions included.</param>
/// <param name="Items">Per item the newest offset and title; a null title: deleted.</param>
internal sealed record LogTruth(IReadOnlyDictionary<string, (string User, string Item, long Ms)> Events, long Interactions, IReadOnlyDictionary<string, (long Offset, string? Title)> Items)
{
    public static async Task<LogTruth> ReadAsync(IEventLog log, CancellationToken cancellationToken)
    {
        var events = new Dictionary<string, (string, string, long)>();
        long interactions = 0;
        await foreach (LogMessage message in ReadAsync(log, "interactions", cancellationToken))
        {
            interactions++;
            using JsonDocument json = JsonDocument.Parse(message.Value!.Value);
            events[json.RootElement.GetProperty("event_id").GetString()!] =
                (json.RootElement.GetProperty("user_id").GetString()!, json.RootElement.GetProperty("item_id").GetString()!, Milliseconds(json.RootElement.GetProperty("timestamp")));
        }
        var items = new Dictionary<string, (long Offset, string? Title)>();
        await foreach (LogMessage message in ReadAsync(log, "items", cancellationToken))
        {
            string id = System.Text.Encoding.UTF8.GetString(message.Key.Span);
            if (items.TryGetValue(id, out var known) && known.Offset > message.Offset) continue;
            if (message.Value is not { } value)
            {
                items[id] = (message.Offset, null);
                continue;
            }
            using JsonDocument json = JsonDocument.Parse(value);
            items[id] = (message.Offset, json.RootElement.GetProperty("title").GetString());
        }
        return new LogTruth(events, interactions, items);
    }

    private static long Milliseconds(JsonElement time) => time.ValueKind == JsonValueKind.Number ? time.GetInt64() : time.GetDateTimeOffset().ToUnixTimeMilliseconds();

    private static async IAsyncEnumerable<LogMessage> ReadAsync(IEventLog log, string topic, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var open = new Dictionary<int, long>();
        for (int partition = 0; partition < await log.PartitionsAsync(topic, cancellationToken); partition++)
            if (await log.EndOffsetAsync(topic, partition, cancellationToken) is > 0 and var end) open[partition] = end;
        await using ILogSubscription subscription = log.Subscribe(topic, "chaos", _ => 0);
        while (open.Count > 0)
        {
            LogBatch batch = await subscription.ReadAsync(10_000, cancellationToken);
            foreach (LogMessage message in batch) yield return message;
            if (open.TryGetValue(batch.Partition, out long end) && batch.NextOffset >= end) open.Remove(batch.Partition);
        }
    }
}
