using System.Diagnostics;
using BeeFormer.Streaming.EventLog;

namespace BeeFormer.Streaming.Indexer;

internal static class IndexerTracing
{
    public static readonly ActivitySource Source = new("BeeFormer.Streaming.Indexer");

    /// <summary>From the moment in which a turn's messages are there until they are committed. Null: none of them is traced.</summary>
    public static Activity? StartTurn(IEnumerable<LogMessage> messages)
    {
        if (!Source.HasListeners()) return null;
        var traces = new MessageTraces(Source);
        int count = 0;
        foreach (var message in messages)
        {
            traces.Note(message);
            count++;
        }
        return traces.Start("index items")?.SetTag("messaging.batch.message_count", count);
    }
}
