using System.Globalization;

namespace BeeFormer.Streaming.Servers;

/// <summary>Every server and the four services, as many of each as asked for, in folders of their own under one.</summary>
public sealed class Installation : IAsyncDisposable
{
    private readonly string _folder;
    private readonly IReadOnlyDictionary<string, string?> _extra;
    private readonly List<ServiceProcess> _services = [];
    private bool _keep;

    /// <param name="extra">Settings of all services beside the addresses of the servers.</param>
    public Installation(string folder, IReadOnlyDictionary<string, string?>? extra = null)
    {
        (_folder, _extra) = (folder, extra ?? new Dictionary<string, string?>());
        Directory.CreateDirectory(folder);
        Kafka = new KafkaServer(Path.Combine(folder, "kafka"));
        RabbitMq = new RabbitMqServer(Path.Combine(folder, "rabbitmq"));
        Redis = new RedisServer(Path.Combine(folder, "redis"));
        S3 = new S3Server(Path.Combine(folder, "s3"));
        Qdrant = new QdrantServer(Path.Combine(folder, "qdrant"));
    }

    public KafkaServer Kafka { get; }
    public RabbitMqServer RabbitMq { get; }
    public RedisServer Redis { get; }
    public S3Server S3 { get; }
    public QdrantServer Qdrant { get; }
    public IReadOnlyList<IServer> Servers => [Kafka, RabbitMq, Redis, S3, Qdrant];
    public IReadOnlyList<ServiceProcess> Services => _services;

    /// <returns>What this machine lacks to run it; null: nothing.</returns>
    public static string? Missing => KafkaServer.Missing ?? RabbitMqServer.Missing ?? RedisServer.Missing ?? S3Server.Missing;

    public IEnumerable<ServiceProcess> Of(string project) => _services.Where(service => service.Project == project);

    public Task StartServersAsync(CancellationToken cancellationToken) => Task.WhenAll(Servers.Select(server => server.StartAsync(cancellationToken)));

    /// <summary>Starts services of a kind, or more of it.</summary>
    public async Task<IReadOnlyList<ServiceProcess>> StartAsync(string project, int count, CancellationToken cancellationToken, IReadOnlyDictionary<string, string?>? own = null)
    {
        var settings = new Dictionary<string, string?>(Settings);
        foreach (var (key, value) in own ?? new Dictionary<string, string?>()) settings[key] = value;
        int first = Of(project).Count() + 1;
        ServiceProcess[] started = [.. Enumerable.Range(first, count).Select(number => new ServiceProcess(project, number, _folder, settings))];
        _services.AddRange(started);
        await Task.WhenAll(started.Select(service => service.StartAsync(cancellationToken)));
        return started;
    }

    /// <summary>Addresses of the servers as the services want them.</summary>
    public IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>(_extra)
    {
        ["Kafka:BootstrapServers"] = Kafka.Address,
        ["RabbitMq:Host"] = "127.0.0.1",
        ["RabbitMq:Port"] = RabbitMq.Port.ToString(CultureInfo.InvariantCulture),
        ["Redis:Configuration"] = Redis.Address,
        ["Qdrant:Endpoint"] = Qdrant.Endpoint,
        ["Qdrant:ApiKey"] = QdrantServer.ApiKey,
        ["Storage:Uri"] = $"s3://{S3Server.Bucket}/windows",
        ["Models:Uri"] = $"s3://{S3Server.Bucket}/models",
        ["Storage:S3:ServiceUrl"] = S3.Url,
        ["Storage:S3:ForcePathStyle"] = "true",
        ["AWS_ACCESS_KEY_ID"] = S3Server.AccessKey,
        ["AWS_SECRET_ACCESS_KEY"] = S3Server.SecretKey,
    };

    /// <summary>Leaves the folder for whoever wants to see what went wrong.</summary>
    public void Keep() => _keep = true;

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _services) await service.DisposeAsync();
        foreach (var server in Servers) await server.DisposeAsync();
        if (!_keep) Directory.Delete(_folder, recursive: true);
    }
}
