using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>Names every setting that is wrong, and what was expected.</summary>
internal sealed class KafkaOptionsCheck : IValidateOptions<KafkaOptions>
{
    public ValidateOptionsResult Validate(string? name, KafkaOptions options)
    {
        string[] problems = [.. Problems(options)];
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static IEnumerable<string> Problems(KafkaOptions options)
    {
        if (string.IsNullOrWhiteSpace(options.BootstrapServers)) yield return "Kafka:BootstrapServers is empty; expected host:port of one or more brokers.";
        if (options.SecurityProtocol is { } protocol && !Is(protocol, "plaintext", "ssl", "saslplaintext", "sasl_plaintext", "saslssl", "sasl_ssl"))
            yield return $"Kafka:SecurityProtocol is '{protocol}'; expected Plaintext, Ssl, SaslPlaintext or SaslSsl.";
        if (options.SaslMechanism is { } mechanism && !Is(mechanism, "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI", "OAUTHBEARER"))
            yield return $"Kafka:SaslMechanism is '{mechanism}'; expected PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, GSSAPI or OAUTHBEARER.";
        if (!Is(options.GroupProtocol, "classic", "consumer")) yield return $"Kafka:GroupProtocol is '{options.GroupProtocol}'; expected classic or consumer.";
        if (options.TopicPrefix.Length > 100 || options.TopicPrefix.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-')))
            yield return $"Kafka:TopicPrefix is '{options.TopicPrefix}'; expected up to 100 letters, digits, '.', '_' or '-'.";
        if (options.MaxRecordBytes is < 4096 or > 16 << 20) yield return $"Kafka:MaxRecordBytes is {options.MaxRecordBytes}; expected 4096 to {16 << 20}.";

        foreach (var (key, value, least, most) in new[]
        {
            (nameof(options.AppendTimeout), options.AppendTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(15)),
            (nameof(options.RequestTimeout), options.RequestTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(15)),
            (nameof(options.MetadataRefresh), options.MetadataRefresh, TimeSpan.FromSeconds(0.1), TimeSpan.FromHours(1)),
            (nameof(options.StatisticsInterval), options.StatisticsInterval, TimeSpan.FromSeconds(0.1), TimeSpan.FromHours(1)),
        })
            if (value < least || value > most) yield return $"Kafka:{key} is {value:c}; expected {least:c} to {most:c}.";

        foreach (var (topic, of) in options.Topics)
        {
            if (of.Partitions is < 1 or > 1000) yield return $"Kafka:Topics:{topic}:Partitions is {of.Partitions}; expected 1 to 1000.";
            if (of.Retention < TimeSpan.FromMinutes(1)) yield return $"Kafka:Topics:{topic}:Retention is {of.Retention:c}; expected at least 00:01:00.";
            if (of.ReplicationFactor < 1) yield return $"Kafka:Topics:{topic}:ReplicationFactor is {of.ReplicationFactor}; expected at least 1.";
        }

        foreach (string setting in options.Client.Keys)
            if (KafkaClientSettings.Refusal(setting) is { } why) yield return $"Kafka:Client:{setting} cannot be set: {why}.";
    }

    private static bool Is(string value, params string[] known) => known.Contains(value, StringComparer.OrdinalIgnoreCase);
}
