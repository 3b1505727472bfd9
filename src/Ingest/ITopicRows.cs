using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.Ingest;

/// <summary>What differs between the topics. How messages become segments is the same for both: <see cref="TopicIngest{TRows}"/>.</summary>
/// <typeparam name="TRows">The rows of one segment in the making.</typeparam>
internal interface ITopicRows<TRows> where TRows : class
{
    string Topic { get; }

    /// <summary>First offset that any of the stores still needs.</summary>
    long StartAt(int partition);

    /// <summary>First offset that no segment covers.</summary>
    long NextSegment(int partition);

    /// <summary>First offset from there on that a segment covers; null: none.</summary>
    long? FirstCovered(int partition, long from);

    /// <summary>Forgets what was read and not applied: the log is read again.</summary>
    void StartOver();

    /// <summary>No rows yet.</summary>
    TRows Rent();

    /// <summary>The rows are written, or will never be: what holds them serves another segment.</summary>
    void Return(TRows rows);

    /// <summary>Reads a message, notes it for <see cref="ApplyAsync"/> and adds its row, if it has one.</summary>
    /// <param name="rows">Null: the message has landed already.</param>
    Reading Read(in LogMessage message, TRows? rows);

    /// <summary>Serves readers that must not wait for a segment to close, with what was read since the last call.</summary>
    ValueTask ApplyAsync(int partition, long nextOffset, CancellationToken cancellationToken);

    /// <summary>Removes the user from what has landed and from the rows that have not.</summary>
    /// <param name="atMs">The log's time of the request, UTC milliseconds.</param>
    void Forget(UserId user, long atMs, TRows open);

    bool TryWrite(int partition, long first, long last, TRows rows);
}

/// <summary>What one message was, apart from a row.</summary>
/// <param name="Rejection">Why it cannot be read.</param>
/// <param name="Forget">The user whose tombstone it is.</param>
internal readonly record struct Reading(Rejection? Rejection, UserId? Forget = null);
