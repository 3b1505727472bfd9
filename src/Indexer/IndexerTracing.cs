using System.Diagnostics;
using BeeFormer.Streaming.EventLog;

namespace BeeFormer.Streaming.Indexer;

internal static class IndexerTracing
{
    public static readonly ActivitySource Source = new("BeeFormer.Streaming.Indexer");

    /// <summary>From the moment in which a batch is there until it is committed. Null: none of it is traced.</summary>
    public static Activity? StartBatch(LogBatch batch)
    {
        var traces = new MessageTraces(Source);
        foreach (var message in batch) traces.Note(message);
        return traces.Start("index items")?.SetTag("messaging.batch.message_count", batch.Count);
    }
}
