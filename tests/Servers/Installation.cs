using System.Globalization;

namespace BeeFormer.Streaming.Servers;

/// <summary>Every server and the four services, as many of each as asked for, in folders of their own under one.</summary>
public sealed class Installation : IAsyncDisposable
{
    private readonly string _folder;
    private readonly IReadOnlyDictionary<string, string?> _extra;
    private readonly List<ServiceProcess> _services = [];
    private readonly List<SmallDisk> _disks = [];
    private readonly int? _diskMegabytes;
    private bool _keep;

    /// <param name="extra">Settings of all services beside the addresses of the servers.</param>
    /// <param name="proxied">The services reach all servers but Kafka, which names its own address, through <see cref="Proxies"/>.</param>
    /// <param name="diskMegabytes">Size of a disk of its own for each service, where this process may mount one; null: none.</param>
    public Installation(string folder, IReadOnlyDictionary<string, string?>? extra = null, bool proxied = false, int? diskMegabytes = null)
    {
        _diskMegabytes = diskMegabytes;
        (_folder, _extra) = (folder, extra ?? new Dictionary<string, string?>());
        Directory.CreateDirectory(folder);
        Kafka = new KafkaServer(Path.Combine(folder, "kafka"));
        RabbitMq = new RabbitMqServer(Path.Combine(folder, "rabbitmq"));
        Redis = new RedisServer(Path.Combine(folder, "redis"));
        S3 = new S3Server(Path.Combine(folder, "s3"));
        Qdrant = new QdrantServer(Path.Combine(folder, "qdrant"));
        if (proxied) Proxies = new Dictionary<string, TcpProxy>
        {
            ["rabbitmq"] = new(RabbitMq.Port), ["redis"] = new(Redis.Port), ["s3"] = new(S3.Port), ["qdrant"] = new(Qdrant.Port),
        };
    }

    public KafkaServer Kafka { get; }
    public RabbitMqServer RabbitMq { get; }
    public RedisServer Redis { get; }
    public S3Server S3 { get; }
    public QdrantServer Qdrant { get; }
    public IReadOnlyDictionary<string, TcpProxy> Proxies { get; } = new Dictionary<string, TcpProxy>();
    public IReadOnlyList<SmallDisk> Disks => _disks;
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
        if (_diskMegabytes is { } megabytes) _disks.AddRange(started.Select(service => SmallDisk.TryMount(service.Name, Path.Combine(_folder, service.Name), megabytes)).OfType<SmallDisk>());
        _services.AddRange(started);
        await Task.WhenAll(started.Select(service => service.StartAsync(cancellationToken)));
        return started;
    }

    /// <summary>Addresses of the servers as the services want them.</summary>
    public IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>(_extra)
    {
        ["Kafka:BootstrapServers"] = Kafka.Address,
        ["RabbitMq:Host"] = "127.0.0.1",
        ["RabbitMq:Port"] = Port("rabbitmq", RabbitMq.Port),
        ["Redis:Configuration"] = $"127.0.0.1:{Port("redis", Redis.Port)}",
        ["Qdrant:Endpoint"] = $"http://127.0.0.1:{Port("qdrant", Qdrant.Port)}",
        ["Qdrant:ApiKey"] = QdrantServer.ApiKey,
        ["Storage:Uri"] = $"s3://{S3Server.Bucket}/windows",
        ["Models:Uri"] = $"s3://{S3Server.Bucket}/models",
        ["Storage:S3:ServiceUrl"] = $"http://127.0.0.1:{Port("s3", S3.Port)}",
        ["Storage:S3:ForcePathStyle"] = "true",
        ["AWS_ACCESS_KEY_ID"] = S3Server.AccessKey,
        ["AWS_SECRET_ACCESS_KEY"] = S3Server.SecretKey,
    };

    private string Port(string server, int own) => (Proxies.TryGetValue(server, out TcpProxy? proxy) ? proxy.Port : own).ToString(CultureInfo.InvariantCulture);

    /// <summary>Leaves the folder for whoever wants to see what went wrong.</summary>
    public void Keep() => _keep = true;

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _services) await service.DisposeAsync();
        foreach (var proxy in Proxies.Values) await proxy.DisposeAsync();
        foreach (var server in Servers) await server.DisposeAsync();
        foreach (var disk in _disks) disk.Dispose();
        if (!_keep) Directory.Delete(_folder, recursive: true);
    }
}
