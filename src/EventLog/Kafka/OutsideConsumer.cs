using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>A consumer that asks and never joins its group, nor is polled.</summary>
internal static class OutsideConsumer
{
    public static IConsumer<Ignore, Ignore> Build(KafkaOptions options, string group, ILogger logger)
    {
        var settings = KafkaClientSettings.Consumer(options, group);
        settings["statistics.interval.ms"] = "0"; // nobody would take them
        return new ConsumerBuilder<Ignore, Ignore>(settings).SetLogHandler((_, message) => KafkaClientLog.Write(logger, message)).Build();
    }
}
