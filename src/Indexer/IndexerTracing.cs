using System.Diagnostics;
using BeeFormer.Streaming.EventLog;

namespace BeeFormer.Streaming.Indexer;

internal static class IndexerTracing
{
    public static readonly ActivitySource Source = new("BeeFormer.Streaming.Indexer");

    /// <summary>From the moment in which a turn's messages are there until they are committed. Null: none of them is traced.</summary>
    public static Activity? StartTurn(IReadOnlyCollection<LogBatch> batches)
    {
        var traces = new MessageTraces(Source);
        foreach (var batch in batches)
        foreach (var message in batch) traces.Note(message);
        return traces.Start("index items")?.SetTag("messaging.batch.message_count", batches.Sum(batch => batch.Count));
    }
}
