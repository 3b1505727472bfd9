using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>What librdkafka logs, as this process logs.</summary>
internal static class KafkaClientLog
{
    public static void Write(ILogger logger, Confluent.Kafka.LogMessage message) =>
        logger.Log(LevelOf(message), "{Client} {Facility}: {Text}", message.Name, message.Facility, message.Message);

    private static LogLevel LevelOf(Confluent.Kafka.LogMessage message) => message.Level switch
    {
        _ when message.Facility == "FAIL" => LogLevel.Debug, // a lost connection, which also comes as an error; the client tries again and says so each time
        SyslogLevel.Emergency or SyslogLevel.Alert or SyslogLevel.Critical => LogLevel.Error,
        SyslogLevel.Error or SyslogLevel.Warning => LogLevel.Warning,
        SyslogLevel.Notice or SyslogLevel.Info => LogLevel.Information,
        _ => LogLevel.Debug,
    };
}
