using System.Runtime.CompilerServices;

namespace BeeFormer.Streaming.EventLog;

internal static class LogReading
{
    /// <summary>What the topic holds now, each partition in order; what is appended meanwhile is left out. A message's bytes are its reader's until the next one is asked for.</summary>
    /// <param name="from">The first offset wanted of a partition; at or behind its end: none of it.</param>
    public static async IAsyncEnumerable<LogMessage> ReadToEndAsync(this IEventLog log, string topic, string group, Func<int, long> from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        const int ReadAtOnce = 1000;
        var starts = new Dictionary<int, long>();
        var open = new Dictionary<int, long>(); // partition → end
        int partitions = await log.PartitionsAsync(topic, cancellationToken).ConfigureAwait(false);
        for (int partition = 0; partition < partitions; partition++)
        {
            long end = await log.EndOffsetAsync(topic, partition, cancellationToken).ConfigureAwait(false);
            long start = starts[partition] = Math.Min(end, Math.Max(from(partition), await log.BeginOffsetAsync(topic, partition, cancellationToken).ConfigureAwait(false)));
            if (start < end) open[partition] = end;
        }
        if (open.Count == 0) yield break;

        await using var subscription = log.Subscribe(topic, group, partition => starts[partition]);
        while (open.Count > 0)
        {
            using var batch = await subscription.ReadAsync(ReadAtOnce, cancellationToken).ConfigureAwait(false);
            if (!open.TryGetValue(batch.Partition, out long end)) continue;
            foreach (var message in batch)
                if (message.Offset < end) yield return message;
            if (batch.NextOffset >= end) open.Remove(batch.Partition);
        }
    }
}
