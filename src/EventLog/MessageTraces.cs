using System.Diagnostics;
using System.Text;

namespace BeeFormer.Streaming.EventLog;

/// <summary>The traces that came with some messages, for what is done with them together.</summary>
/// <param name="source">Of what is done. Where nobody listens to it, nothing is read.</param>
public sealed class MessageTraces(ActivitySource source)
{
    /// <summary>As W3C and the CloudEvents extension name it.</summary>
    internal const string Header = "traceparent", CloudEventsHeader = "ce_traceparent";

    /// <summary>A span with more links is of no use to anybody.</summary>
    private const int Most = 128;
    private const int TraceParentLength = 55;

    private readonly HashSet<ActivityContext> _traces = [];
    private ActivityContext _first;

    public void Note(in LogMessage message)
    {
        if (message.Headers is null || _traces.Count >= Most || !source.HasListeners()) return;
        if (Of(message.Headers) is { } trace && _traces.Add(trace) && _traces.Count == 1) _first = trace;
    }

    /// <summary>A span in the trace of the first message that has one, with links to those of all others (128 at most). Null: none is recorded, or nobody listens.</summary>
    public Activity? Start(string name) =>
        _traces.Count == 0 ? null : source.StartActivity(name, ActivityKind.Consumer, _first, links: _traces.Where(trace => trace != _first).Select(trace => new ActivityLink(trace)));

    private static ActivityContext? Of(IReadOnlyList<LogHeader> headers) =>
        (LogHeaders.Last(headers, Header) ?? LogHeaders.Last(headers, CloudEventsHeader)) is { Length: TraceParentLength } value
        && ActivityContext.TryParse(Encoding.ASCII.GetString(value.Span), null, isRemote: true, out var trace) && trace.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) ? trace : null;
}
