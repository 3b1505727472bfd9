namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>Settings of the log on Kafka: section <c>Kafka</c>. Used where <see cref="BootstrapServers"/> is set.</summary>
public sealed record KafkaOptions
{
    public const string Section = "Kafka";

    /// <summary>Addresses of some brokers, <c>host:port</c>, separated by commas.</summary>
    public string BootstrapServers { get; init; } = "";

    /// <summary><c>Plaintext</c>, <c>Ssl</c>, <c>SaslPlaintext</c> or <c>SaslSsl</c>. Default: Plaintext.</summary>
    public string? SecurityProtocol { get; init; }

    /// <summary><c>PLAIN</c>, <c>SCRAM-SHA-256</c>, <c>SCRAM-SHA-512</c>, <c>GSSAPI</c> or <c>OAUTHBEARER</c>.</summary>
    public string? SaslMechanism { get; init; }
    public string? SaslUsername { get; init; }
    public string? SaslPassword { get; init; }

    /// <summary>File or folder of the certificates that sign the brokers'. Default: those of the operating system.</summary>
    public string? SslCaLocation { get; init; }

    /// <summary>Put before the name of each topic and group, so that several installations share a cluster. Letters, digits, '.', '_' and '-'. Default: none.</summary>
    public string TopicPrefix { get; init; } = "";

    /// <summary>How readers of a group find out who has which partition: <c>classic</c> (cooperative-sticky) or <c>consumer</c> (KIP-848; brokers from 4.0). Default: classic.</summary>
    public string GroupProtocol { get; init; } = "classic";

    /// <summary>Time in which all records of an append are acknowledged, or it fails. Default 30 s; 1 s to 15 min.</summary>
    public TimeSpan AppendTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time in which the broker answers a question about topics, offsets and groups, with all attempts, or it fails. Default 30 s; 1 s to 15 min.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How soon partitions that were added to a topic are read. Default 30 s; 0.1 s to 1 h.</summary>
    public TimeSpan MetadataRefresh { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often the client's statistics become metrics and health. Default 5 s; 0.1 s to 1 h.</summary>
    public TimeSpan StatisticsInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest record: key, value and headers together, in bytes. Default 1 MiB; 4 KiB to 16 MiB. Topics are created to take it.</summary>
    public int MaxRecordBytes { get; init; } = 1 << 20;

    /// <summary>How topics are created, and what is expected of those that exist; a name that is missing here has the defaults.</summary>
    public Dictionary<string, KafkaTopicOptions> Topics { get; init; } = [];

    /// <summary>Any other setting of librdkafka by its own name, such as <c>linger.ms</c>. Those that a guarantee rests on are refused.</summary>
    public Dictionary<string, string> Client { get; init; } = [];

    // As in the embedded log: a dead letter wraps a record in base64.
    internal int MaxDeadLetterBytes => MaxRecordBytes + MaxRecordBytes / 2 + 8192;

    internal int LargestRecord(string topic) => topic == Contracts.Topics.DeadLetters ? MaxDeadLetterBytes : MaxRecordBytes;

    internal KafkaTopicOptions Topic(string topic) => Topics.GetValueOrDefault(topic) ?? new KafkaTopicOptions();
}
