using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.Ingest;

/// <summary>What one message says: a row to land, a user to forget, or the reason why it cannot be read.</summary>
internal readonly record struct Decoded<TRow>(LogMessage Message, TRow? Row, Contracts.UserId? Forget, Rejection? Rejection) where TRow : struct;

/// <summary>What differs between the topics. How messages become segments is the same for both: <see cref="TopicIngest{TRow}"/>.</summary>
internal interface ITopicRows<TRow> where TRow : struct
{
    string Topic { get; }

    /// <summary>First offset that any of the stores still needs.</summary>
    long StartAt(int partition);

    /// <summary>First offset that no segment covers.</summary>
    long NextSegment(int partition);

    Decoded<TRow> Decode(LogMessage message);

    /// <summary>Serves readers that must not wait for a segment to close.</summary>
    ValueTask ApplyAsync(int partition, long nextOffset, IReadOnlyList<Decoded<TRow>> messages, CancellationToken cancellationToken);

    /// <summary>Removes the user from what has landed and from the rows that have not.</summary>
    /// <param name="atMs">The log's time of the request, UTC milliseconds.</param>
    void Forget(Contracts.UserId user, long atMs, List<TRow> open);

    bool TryWrite(int partition, long first, long last, IReadOnlyList<TRow> rows);
}
