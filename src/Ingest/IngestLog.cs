using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Ingest;

/// <summary>What Ingest says, 1000 to 1099. Names and numbers stay what they are: alerts and searches rely on them.</summary>
internal static partial class IngestLog
{
    [LoggerMessage(1001, LogLevel.Warning, "{Topic}/{Partition}/{Offset} cannot be read: {Reason}: {Message}")]
    public static partial void DeadLettered(this ILogger logger, string topic, int partition, long offset, string reason, string message);

    [LoggerMessage(1002, LogLevel.Error, "{Topic}: attempt {Attempt} failed; the next one follows in {Pause}")]
    public static partial void AttemptFailed(this ILogger logger, Exception failure, string topic, int attempt, TimeSpan pause);

    [LoggerMessage(1003, LogLevel.Error, "{Topic}/{Partition}: the store lacks the offsets {First} to {Last}, which had landed; they land again")]
    public static partial void GapFound(this ILogger logger, string topic, int partition, long first, long last);

    [LoggerMessage(1004, LogLevel.Information, "{Topic}/{Partition}: another writer covered offset {Offset} first")]
    public static partial void OtherWriter(this ILogger logger, string topic, int partition, long offset);
}
