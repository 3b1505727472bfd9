using BeeFormer.Streaming.EventLog.Kafka;
using BeeFormer.Streaming.ModelStore.S3;
using BeeFormer.Streaming.Profiles.Redis;
using BeeFormer.Streaming.VectorIndex.Qdrant;
using BeeFormer.Streaming.WindowStore.S3;
using Microsoft.Extensions.Configuration;

namespace BeeFormer.Streaming.Standalone.Doctor;

/// <summary>A server that holds a part of the program where the configuration names one. Another part that gets a server gets a row in <see cref="All"/>.</summary>
/// <param name="Check">Of the finding, such as <c>event log: Kafka</c>.</param>
/// <param name="Key">Of the configuration, that names it.</param>
/// <param name="AskAsync">One attempt, no longer than it is told: what answered, in words. An <see cref="IOException"/> or <see cref="InvalidDataException"/> says why nothing did; no sentence holds a secret.</param>
internal sealed record Server(string Check, string Key, Func<IConfiguration, bool> IsConfigured, Func<IConfiguration, TimeSpan, CancellationToken, Task<string>> AskAsync)
{
    public static IReadOnlyList<Server> All { get; } =
    [
        Named("event log: Kafka", "Kafka:BootstrapServers", KafkaReach.AskAsync),
        Named("profiles: Redis", "Redis:Configuration", RedisReach.AskAsync),
        Named("vector index: Qdrant", "Qdrant:Endpoint", QdrantReach.AskAsync),
        new("windows: S3", "Storage:Uri", S3Reach.IsConfigured, S3Reach.AskAsync),
        new("models: S3", "Models:Uri", ModelsReach.IsConfigured, ModelsReach.AskAsync),
    ];

    private static Server Named(string check, string key, Func<IConfiguration, TimeSpan, CancellationToken, Task<string>> ask) => new(check, key, configuration => !string.IsNullOrWhiteSpace(configuration[key]), ask);
}
