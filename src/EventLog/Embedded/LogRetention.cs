namespace BeeFormer.Streaming.EventLog.Embedded;

/// <summary>What a partition may drop from its begin.</summary>
/// <param name="Age">Records older than this; null: none for their age.</param>
/// <param name="Bytes">What goes beyond so many bytes; null: none for their number.</param>
/// <param name="KeepFrom">Asked each time: the first offset that somebody still needs, whatever age and bytes say.</param>
internal sealed record LogRetention(TimeSpan? Age, long? Bytes, Func<long> KeepFrom);
