using System.Diagnostics;
using System.Text;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.EventLog;

/// <summary>Lets an event take the trace of whoever sent it along: W3C trace context in the header <c>traceparent</c>. What is not recorded leaves no header and costs nothing.</summary>
internal static class LogTracing
{
    public const string SourceName = "BeeFormer.Streaming.EventLog";
    private static readonly ActivitySource s_source = new(SourceName);

    /// <summary>Null: nobody listens.</summary>
    public static Activity? StartAppend(string topic, int messages)
    {
        if (!s_source.HasListeners()) return null;
        return s_source.StartActivity($"append {topic}", ActivityKind.Producer)?.SetTag("messaging.destination.name", topic).SetTag("messaging.batch.message_count", messages);
    }

    /// <summary>The records with the current trace. One that has a trace keeps it: a message that returns belongs to where it came from. Dead letters hold what their messages had.</summary>
    public static IReadOnlyList<LogRecord> Traced(string topic, IReadOnlyList<LogRecord> records)
    {
        if (topic == Topics.DeadLetters || Activity.Current is not { Recorded: true, IdFormat: ActivityIdFormat.W3C, Id: { } id }) return records;
        var header = new LogHeader(MessageTraces.Header, Encoding.ASCII.GetBytes(id));
        return [.. records.Select(record => LogHeaders.Last(record.Headers, MessageTraces.Header) is null ? record with { Headers = [.. record.Headers ?? [], header] } : record)];
    }
}
