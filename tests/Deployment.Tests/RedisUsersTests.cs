using System.Globalization;
using System.Net;
using System.Net.Sockets;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.Servers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Deployment.Tests;

/// <summary>A Redis with the deployment's configuration lets each service do its work and nothing else.</summary>
public sealed class RedisUsersTests(MadeSecrets secrets) : IAsyncDisposable
{
    private static readonly UserId s_ann = new("ann");
    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-redis-").FullName;
    private readonly int _port = Ports.Take();
    private System.Diagnostics.Process? _server;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ingest_writes_profiles_and_the_Api_reads_them()
    {
        await StartAsync();
        await using var ingest = Profiles(secrets.Read("redis-ingest.configuration"));
        await using var api = Profiles(secrets.Read("redis-api.configuration"));
        var bread = new ProfileInteraction("e1", new ItemId("bread"), "purchase", null, 1);
        await ingest.GetRequiredService<IProfiles>().ApplyAsync(0, 1, [new ProfileChange(0, s_ann, bread)], Token);
        Assert.Equal(1, ingest.GetRequiredService<IProfiles>().NextOffset(0));
        Assert.Equal([bread], await api.GetRequiredService<IProfiles>().GetAsync(s_ann, Token));
        await ingest.GetRequiredService<IProfiles>().ApplyAsync(0, 2, [new ProfileChange(1, s_ann, null)], Token);
        Assert.Empty(await api.GetRequiredService<IProfiles>().GetAsync(s_ann, Token));

        var refused = await Assert.ThrowsAsync<IOException>(() => api.GetRequiredService<IProfiles>().ApplyAsync(0, 3, [new ProfileChange(2, s_ann, bread)], Token).AsTask());
        Assert.Contains("NOPERM", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("api", "FLUSHALL")]
    [InlineData("api", "KEYS *")]
    [InlineData("api", "GET other")]
    [InlineData("ingest", "FLUSHALL")]
    [InlineData("ingest", "CONFIG GET *")]
    [InlineData("ingest", "SET other 1")]
    [InlineData("ingest", "ACL LIST")]
    [InlineData("health", "GET {beeformer:0/1}:positions")]
    public async Task What_is_nobodys_business_is_refused(string user, string command)
    {
        await StartAsync();
        Assert.StartsWith("-NOPERM", await SayAsync($"AUTH {user} {(user == "health" ? "any" : secrets.Read($"redis-{user}"))}", command), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_gets_in_without_a_name()
    {
        await StartAsync();
        Assert.StartsWith("-NOAUTH", await SayAsync("PING"), StringComparison.Ordinal);
        Assert.StartsWith("-WRONGPASS", await SayAsync("AUTH default any"), StringComparison.Ordinal);
        Assert.Equal("+PONG", await SayAsync("AUTH health any", "PING"));
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            _server.Kill();
            await _server.WaitForExitAsync();
            _server.Dispose();
        }
        Directory.Delete(_folder, recursive: true);
    }

    private async Task StartAsync()
    {
        string configuration = Path.Combine(_folder, "redis.conf");
        await File.WriteAllTextAsync(configuration, Repository.Read("infra", "redis", "redis.conf").Replace("/run/secrets", secrets.Folder, StringComparison.Ordinal).Replace("dir /data", $"dir {_folder}", StringComparison.Ordinal)
            + string.Create(CultureInfo.InvariantCulture, $"port {_port}\nbind 127.0.0.1\n"), Token);
        _server = Repository.Start("redis-server", "redis-server", configuration);
        while (await _server.StandardOutput.ReadLineAsync(Token) is { } line)
            if (line.Contains("Ready to accept connections", StringComparison.Ordinal)) return;
        Assert.Fail($"redis-server ended: {await _server.StandardError.ReadToEndAsync(Token)}");
    }

    private ServiceProvider Profiles(string configuration) => new ServiceCollection()
        .AddRedisProfiles(new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create("Redis:Configuration", (string?)configuration.Replace("redis:6379", $"127.0.0.1:{_port}", StringComparison.Ordinal))]).Build())
        .BuildServiceProvider();

    /// <returns>The answer to the last one.</returns>
    private async Task<string?> SayAsync(params string[] commands)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _port, Token);
        using var reader = new StreamReader(client.GetStream());
        string? answer = null;
        foreach (string command in commands)
        {
            await client.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes(command + "\r\n"), Token);
            answer = await reader.ReadLineAsync(Token);
        }
        return answer;
    }
}
