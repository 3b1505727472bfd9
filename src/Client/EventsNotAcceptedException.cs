namespace BeeFormer.Streaming.Client;

/// <summary>An <see cref="EventBatcher"/> ended before the server had accepted everything.</summary>
public sealed class EventsNotAcceptedException : Exception
{
    internal EventsNotAcceptedException(IReadOnlyList<Interaction> events, Exception cause)
        : base($"{events.Count} events were not accepted{(events is [var first, ..] ? $", the first one {first.EventId}" : "")}: {cause.Message}", cause) => Events = events;

    /// <summary>In the order in which they were added, with their ids: sent again, even if the server took some of them after all, each counts once.</summary>
    public IReadOnlyList<Interaction> Events { get; }
}
