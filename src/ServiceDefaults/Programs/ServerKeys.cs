namespace BeeFormer.Streaming.ServiceDefaults;

/// <summary>Where the servers are that the services share.</summary>
public static class ServerKeys
{
    public static readonly RequiredKey Kafka = new("Kafka:BootstrapServers", "addresses of brokers, as kafka:9092");
    public static readonly RequiredKey Qdrant = new("Qdrant:Endpoint", "its gRPC address, as http://qdrant:6334");
    public static readonly RequiredKey Redis = new("Redis:Configuration", "its address, as redis:6379");
    public static readonly RequiredKey RabbitMq = new("RabbitMq:Host", "its name, as rabbitmq");
    public static readonly RequiredKey Windows = new("Storage:Uri", "where windows lie: s3://bucket/windows, or a folder that all services share");
    public static readonly RequiredKey Models = new("Models:Uri", "where models lie: s3://bucket/models, or a folder that all services share");
}
