using Confluent.Kafka;
using Microsoft.Extensions.Configuration;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>Looks whether the configured cluster answers, and changes nothing there.</summary>
public static class KafkaReach
{
    /// <returns>What answered, in words.</returns>
    /// <exception cref="InvalidDataException">A setting is wrong.</exception>
    /// <exception cref="IOException">No broker answers in time. The sentence names the brokers, and no secret.</exception>
    public static async Task<string> AskAsync(IConfiguration configuration, TimeSpan limit, CancellationToken cancellationToken)
    {
        KafkaOptions options;
        try
        {
            options = configuration.GetSection(KafkaOptions.Section).Get<KafkaOptions>(binder => binder.ErrorOnUnknownConfiguration = true) ?? new KafkaOptions();
        }
        catch (InvalidOperationException wrong)
        {
            throw new InvalidDataException($"Section {KafkaOptions.Section}: {wrong.Message}", wrong);
        }
        if (new KafkaOptionsCheck().Validate(null, options) is { Failed: true } check) throw new InvalidDataException(check.FailureMessage);
        try
        {
            return await Task.Run(() => Ask(options, limit), cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (KafkaException failure)
        {
            throw new IOException($"Kafka at {options.BootstrapServers}: {failure.Error.Reason} ({failure.Error.Code})", failure);
        }
        catch (InvalidOperationException wrong) // librdkafka does not know a setting of Kafka:Client, or its value
        {
            throw new InvalidDataException($"Section {KafkaOptions.Section}: {wrong.Message}", wrong);
        }
    }

    private static string Ask(KafkaOptions options, TimeSpan limit)
    {
        using IAdminClient admin = new AdminClientBuilder(new AdminClientConfig(KafkaClientSettings.Producer(options))).SetErrorHandler((_, _) => { }).SetLogHandler((_, _) => { }).Build();
        Metadata cluster = admin.GetMetadata(limit);
        string[] missing = [.. new[] { Contracts.Topics.Interactions, Contracts.Topics.Items, Contracts.Topics.DeadLetters }.Select(topic => options.TopicPrefix + topic).Except(cluster.Topics.Select(topic => topic.Topic))];
        return $"{cluster.Brokers.Count} brokers; {(missing.Length == 0 ? "all topics are there" : $"topics that the first start creates: {string.Join(", ", missing)}")}";
    }
}
