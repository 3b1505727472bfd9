using System.Collections.Concurrent;
using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>Creates the topics that are missing and compares those that exist with the options. An existing topic is never changed.</summary>
internal sealed class KafkaTopics(KafkaMetadata metadata, IAdminClient admin, KafkaRequests requests, KafkaOptions options, ILogger logger)
{
    private readonly ConcurrentDictionary<string, Lazy<Task>> _ready = new();

    /// <summary>Ends when the topic is there and fit for use; asks the broker once.</summary>
    /// <exception cref="InvalidDataException">The topic differs from the options in a way that would lose events or move keys.</exception>
    public async Task EnsureAsync(string topic, CancellationToken cancellationToken)
    {
        var ready = _ready.GetOrAdd(topic, name => new Lazy<Task>(() => CreateOrCheckAsync(name)));
        try
        {
            await ready.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch when (ready.Value.IsFaulted)
        {
            _ready.TryRemove(KeyValuePair.Create(topic, ready)); // the next caller asks again
            throw;
        }
    }

    /// <summary>Partitions that the topic has now.</summary>
    public async Task<int> CountAsync(string topic, CancellationToken cancellationToken) =>
        (await DescribeAsync(FullName(topic), cancellationToken).ConfigureAwait(false)).Partitions.Count;

    public string FullName(string topic) => options.TopicPrefix + topic;

    private async Task CreateOrCheckAsync(string topic)
    {
        string name = FullName(topic);
        var wanted = options.Topic(topic);
        if (await ExistsAsync(name).ConfigureAwait(false) || !await CreateAsync(topic, name, wanted).ConfigureAwait(false)) await CheckAsync(topic, name, wanted).ConfigureAwait(false);
        else await DescribeAsync(name, CancellationToken.None, led: true).ConfigureAwait(false); // or the first append would wait instead
    }

    private Task<bool> ExistsAsync(string name) => requests.AskAsync($"whether topic {name} exists", async () =>
    {
        try
        {
            await DescribeOnceAsync(name).ConfigureAwait(false);
            return true;
        }
        catch (KafkaException missing) when (missing.Error.Code is ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownTopic)
        {
            return false;
        }
    }, CancellationToken.None);

    // False: somebody else was first.
    private async Task<bool> CreateAsync(string topic, string name, KafkaTopicOptions wanted)
    {
        int brokers = (await requests.AskAsync("the number of brokers", () => metadata.AskAsync(name, requests.Timeout), CancellationToken.None).ConfigureAwait(false)).Brokers.Count;
        var specification = new TopicSpecification
        {
            Name = name,
            NumPartitions = wanted.Partitions,
            ReplicationFactor = wanted.ReplicationFactor ?? (short)Math.Clamp(brokers, 1, 3),
            Configs = new Dictionary<string, string>
            {
                ["cleanup.policy"] = wanted.IsCompacted(topic) ? "compact" : "delete",
                ["retention.ms"] = wanted.RetentionMs(topic).ToString(CultureInfo.InvariantCulture),
                // The log's own clock: an event without a time gets that of its arrival, and retention counts from there.
                ["message.timestamp.type"] = "LogAppendTime",
                ["max.message.bytes"] = KafkaClientSettings.MaxMessageBytes(options.LargestRecord(topic)).ToString(CultureInfo.InvariantCulture),
            },
        };
        return await requests.AskAsync($"topic {name} does not exist and could not be created with {specification.NumPartitions} partitions in {specification.ReplicationFactor} copies", async () =>
        {
            try
            {
                await admin.CreateTopicsAsync([specification], new CreateTopicsOptions { RequestTimeout = requests.Timeout, OperationTimeout = requests.Timeout }).ConfigureAwait(false);
                logger.LogInformation("Created topic {Topic} with {Partitions} partitions in {Copies} copies", name, specification.NumPartitions, specification.ReplicationFactor);
                return true;
            }
            catch (CreateTopicsException failure)
            {
                var error = failure.Results[0].Error;
                return error.Code == ErrorCode.TopicAlreadyExists ? false : throw new KafkaException(error);
            }
        }, CancellationToken.None).ConfigureAwait(false);
    }

    private async Task CheckAsync(string topic, string name, KafkaTopicOptions wanted)
    {
        int partitions = (await DescribeAsync(name, CancellationToken.None).ConfigureAwait(false)).Partitions.Count;
        if (partitions < wanted.Partitions)
            throw new InvalidDataException($"topic {name} has {partitions} partitions, Kafka:Topics:{topic}:Partitions says {wanted.Partitions}; set {partitions} there, or add partitions with Kafka's own tools (keys then move, so do it while the topic is empty)");

        if (await SettingsAsync(name).ConfigureAwait(false) is not { } settings) return;
        string Setting(string key) => settings.TryGetValue(key, out var entry) ? entry.Value ?? "" : "";

        string policy = Setting("cleanup.policy");
        bool compacted = policy.Contains("compact", StringComparison.Ordinal);
        if (compacted && !wanted.IsCompacted(topic))
            throw new InvalidDataException($"topic {name} has cleanup.policy={policy}, which keeps only the newest message of each key; expected delete (or say Kafka:Topics:{topic}:Compacted=true)");
        if (wanted.IsCompacted(topic) && (!compacted || policy.Contains("delete", StringComparison.Ordinal)))
            logger.LogWarning("Topic {Topic} has cleanup.policy={Policy}, expected compact: what retention drops from it can no longer be read", name, policy);
        if (Setting("message.timestamp.type") is { Length: > 0 } clock && clock != "LogAppendTime")
            logger.LogWarning("Topic {Topic} has message.timestamp.type={Type}, expected LogAppendTime: the time of an event that names none is then its producer's", name, clock);
        long largest = KafkaClientSettings.MaxMessageBytes(options.LargestRecord(topic));
        if (long.TryParse(Setting("max.message.bytes"), CultureInfo.InvariantCulture, out long most) && most < largest)
            logger.LogWarning("Topic {Topic} has max.message.bytes={Bytes}, Kafka:MaxRecordBytes asks for {Wanted}: the broker will refuse what is longer, batches of short records too; set Kafka:MaxRecordBytes lower", name, most, largest);
    }

    // Null: the broker does not tell, to us at least.
    private async Task<Dictionary<string, ConfigEntryResult>?> SettingsAsync(string name)
    {
        try
        {
            return await requests.AskAsync($"the settings of topic {name}", async () =>
            {
                try
                {
                    return (await admin.DescribeConfigsAsync([new ConfigResource { Type = ResourceType.Topic, Name = name }], new DescribeConfigsOptions { RequestTimeout = requests.Timeout }).ConfigureAwait(false))[0].Entries;
                }
                catch (DescribeConfigsException failure)
                {
                    throw new KafkaException(failure.Results[0].Error);
                }
            }, CancellationToken.None).ConfigureAwait(false);
        }
        catch (IOException failure) when (failure.InnerException is KafkaException { Error.Code: ErrorCode.TopicAuthorizationFailed or ErrorCode.ClusterAuthorizationFailed or ErrorCode.Local_UnsupportedFeature })
        {
            logger.LogWarning("The settings of topic {Topic} were not compared with the configuration: {Reason}", name, failure.Message);
            return null;
        }
    }

    private Task<TopicMetadata> DescribeAsync(string name, CancellationToken cancellationToken, bool led = false) =>
        requests.AskAsync($"the partitions of topic {name}", async () =>
        {
            var topic = await DescribeOnceAsync(name).ConfigureAwait(false);
            return !led || topic.Partitions.All(partition => partition.Leader >= 0) ? topic : throw new KafkaException(new Error(ErrorCode.LeaderNotAvailable));
        }, cancellationToken);

    private async Task<TopicMetadata> DescribeOnceAsync(string name)
    {
        var topic = (await metadata.AskAsync(name, requests.Timeout).ConfigureAwait(false)).Topics.Single(one => one.Topic == name);
        if (topic.Error.IsError) throw new KafkaException(topic.Error);
        return topic.Partitions.Count > 0 ? topic : throw new KafkaException(new Error(ErrorCode.LeaderNotAvailable));
    }
}
