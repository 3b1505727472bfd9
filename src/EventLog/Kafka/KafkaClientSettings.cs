using System.Globalization;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>The options as librdkafka's settings. What a guarantee rests on stands here and nowhere else.</summary>
internal static class KafkaClientSettings
{
    private const string Durable = "an append is durable when it returns, once and in order";
    private const string Store = "the readers' own stores say where reading starts, not the group";
    private const string Named = "it has a key of its own: Kafka:";

    private static readonly Dictionary<string, string> Refused = new(StringComparer.OrdinalIgnoreCase)
    {
        ["enable.idempotence"] = Durable,
        ["acks"] = Durable,
        ["request.required.acks"] = Durable,
        ["retries"] = Durable,
        ["message.send.max.retries"] = Durable,
        ["max.in.flight"] = Durable,
        ["max.in.flight.requests.per.connection"] = Durable,
        ["transactional.id"] = "appends are not transactions; positions in the log make work happen once",
        ["partitioner"] = "a key must land in the same partition whoever produces it",
        ["enable.auto.commit"] = Store,
        ["auto.commit.enable"] = Store,
        ["enable.auto.offset.store"] = Store,
        ["auto.offset.reset"] = Store,
        ["group.id"] = "readers name their groups themselves; Kafka:TopicPrefix goes before",
        ["group.instance.id"] = "several readers live in one process and would put each other out",
        ["partition.assignment.strategy"] = "readers share partitions by cooperative-sticky, or see Kafka:GroupProtocol",
        ["isolation.level"] = "messages of aborted transactions are no events",
        ["enable.partition.eof"] = "readers wait for messages",
        ["allow.auto.create.topics"] = "topics are created with the settings of Kafka:Topics",
        ["dotnet.consumer.consume.result.fields"] = "messages come with time and headers",
        ["dotnet.producer.delivery.report.fields"] = "an append returns positions",
        ["dotnet.producer.enable.delivery.reports"] = "an append returns positions",
        ["dotnet.producer.enable.background.poll"] = "an append returns positions",
        ["bootstrap.servers"] = Named + nameof(KafkaOptions.BootstrapServers),
        ["metadata.broker.list"] = Named + nameof(KafkaOptions.BootstrapServers),
        ["security.protocol"] = Named + nameof(KafkaOptions.SecurityProtocol),
        ["sasl.mechanism"] = Named + nameof(KafkaOptions.SaslMechanism),
        ["sasl.mechanisms"] = Named + nameof(KafkaOptions.SaslMechanism),
        ["sasl.username"] = Named + nameof(KafkaOptions.SaslUsername),
        ["sasl.password"] = Named + nameof(KafkaOptions.SaslPassword),
        ["group.protocol"] = Named + nameof(KafkaOptions.GroupProtocol),
        ["message.timeout.ms"] = Named + nameof(KafkaOptions.AppendTimeout),
        ["delivery.timeout.ms"] = Named + nameof(KafkaOptions.AppendTimeout),
        ["message.max.bytes"] = Named + nameof(KafkaOptions.MaxRecordBytes),
        ["statistics.interval.ms"] = Named + nameof(KafkaOptions.StatisticsInterval),
        ["topic.metadata.refresh.interval.ms"] = Named + nameof(KafkaOptions.MetadataRefresh),
    };

    /// <summary>Why the setting may not be given; null: it may.</summary>
    public static string? Refusal(string setting) => Refused.GetValueOrDefault(setting);

    public static Dictionary<string, string> Producer(KafkaOptions options)
    {
        var settings = Connection(options);
        settings["linger.ms"] = "2";
        settings["compression.type"] = "lz4";
        settings["queue.buffering.max.kbytes"] = "65536";
        settings["batch.size"] = Number(Math.Min(1_000_000, options.MaxRecordBytes)); // a broker's limit is for the batch
        Overlay(settings, options);
        settings["enable.idempotence"] = "true";
        settings["acks"] = "all";
        settings["partitioner"] = "murmur2_random"; // as the Java client's default: shop producers land a key in the same partition
        settings["message.timeout.ms"] = Ms(options.AppendTimeout);
        settings["topic.metadata.propagation.max.ms"] = Ms(options.AppendTimeout);
        settings["topic.metadata.refresh.interval.ms"] = Ms(options.MetadataRefresh);
        settings["message.max.bytes"] = Number(MaxMessageBytes(options.MaxDeadLetterBytes));
        return settings;
    }

    public static Dictionary<string, string> Consumer(KafkaOptions options, string group)
    {
        var settings = Connection(options);
        settings["queued.max.messages.kbytes"] = "16384";
        settings["fetch.error.backoff.ms"] = "100";
        Overlay(settings, options);
        settings["group.id"] = group;
        settings["group.protocol"] = options.GroupProtocol.ToLowerInvariant();
        if (settings["group.protocol"] == "classic") settings["partition.assignment.strategy"] = "cooperative-sticky";
        settings["enable.auto.commit"] = "false";
        settings["enable.auto.offset.store"] = "false";
        settings["auto.offset.reset"] = "error";
        settings["isolation.level"] = "read_committed";
        settings["allow.auto.create.topics"] = "false";
        settings["topic.metadata.refresh.interval.ms"] = Ms(options.MetadataRefresh);
        settings["dotnet.consumer.consume.result.fields"] = "timestamp,headers";
        return settings;
    }

    /// <summary>A record of so many bytes as the broker counts it: with the frame of a batch that holds it alone.</summary>
    public static int MaxMessageBytes(int recordBytes) => recordBytes + 512;

    private static Dictionary<string, string> Connection(KafkaOptions options)
    {
        var settings = new Dictionary<string, string>
        {
            ["bootstrap.servers"] = options.BootstrapServers,
            ["client.id"] = "beeformer",
            ["statistics.interval.ms"] = Ms(options.StatisticsInterval),
        };
        if (options.SecurityProtocol is { } protocol) settings["security.protocol"] = protocol.ToLowerInvariant() switch { "saslplaintext" => "sasl_plaintext", "saslssl" => "sasl_ssl", var same => same };
        if (options.SaslMechanism is { } mechanism) settings["sasl.mechanism"] = mechanism.ToUpperInvariant();
        if (options.SaslUsername is { } user) settings["sasl.username"] = user;
        if (options.SaslPassword is { } password) settings["sasl.password"] = password;
        if (options.SslCaLocation is { } authorities) settings["ssl.ca.location"] = authorities;
        return settings;
    }

    private static void Overlay(Dictionary<string, string> settings, KafkaOptions options)
    {
        foreach (var (name, value) in options.Client) settings[name] = value;
    }

    private static string Ms(TimeSpan time) => Number((long)time.TotalMilliseconds);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
