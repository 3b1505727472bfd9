using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>What librdkafka logs, as this process logs.</summary>
internal static class KafkaClientLog
{
    public static void Write(ILogger logger, Confluent.Kafka.LogMessage message) =>
        logger.Log(LevelOf(message.Level), "{Client} {Facility}: {Text}", message.Name, message.Facility, message.Message);

    // Lost connections and their like are mended by the client itself; what is not comes as an error of its own.
    private static LogLevel LevelOf(SyslogLevel level) => level switch
    {
        SyslogLevel.Emergency or SyslogLevel.Alert or SyslogLevel.Critical => LogLevel.Error,
        SyslogLevel.Error or SyslogLevel.Warning => LogLevel.Warning,
        SyslogLevel.Notice or SyslogLevel.Info => LogLevel.Information,
        _ => LogLevel.Debug,
    };
}
