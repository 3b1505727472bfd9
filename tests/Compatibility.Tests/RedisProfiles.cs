using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.Servers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace BeeFormer.Streaming.Compatibility.Tests;

/// <summary>Profiles in a Redis of the test's own, and what lies there as bytes.</summary>
internal sealed class RedisProfiles : IAsyncDisposable
{
    private readonly ConnectionMultiplexer _connection;
    private readonly RedisServer _server;
    private readonly ServiceProvider _services;

    private RedisProfiles(RedisServer server, ConnectionMultiplexer connection)
    {
        (_server, _connection) = (server, connection);
        _services = new ServiceCollection().AddRedisProfiles(new ConfigurationBuilder().AddInMemoryCollection([new("Redis:Configuration", $"127.0.0.1:{server.Port}")]).Build()).BuildServiceProvider();
    }

    public IProfiles Profiles => _services.GetRequiredService<IProfiles>();

    public static async Task<RedisProfiles> StartAsync(string folder, CancellationToken cancellationToken)
    {
        var server = new RedisServer(folder);
        await server.StartAsync(cancellationToken);
        return new RedisProfiles(server, await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{server.Port}"));
    }

    public static ProfileChange Change(long offset, StoredChange change) => new(offset, new UserId(change.User), change.Item is null ? null : new ProfileInteraction($"event-{offset}", new ItemId(change.Item), "purchase", offset % 2 == 0 ? 1.5 : null, 1_772_323_200_000 + offset));

    public IEnumerable<JsonObject> Dump()
    {
        IDatabase database = _connection.GetDatabase();
        foreach (RedisKey key in _connection.GetServers()[0].Keys().OrderBy(key => (string?)key, StringComparer.Ordinal))
            yield return database.KeyType(key) == RedisType.Hash
                ? new JsonObject { ["key"] = (string?)key, ["hash"] = new JsonObject(database.HashGetAll(key).Select(entry => KeyValuePair.Create((string)entry.Name!, (JsonNode?)(string?)entry.Value))) }
                : new JsonObject { ["key"] = (string?)key, ["value"] = Convert.ToBase64String((byte[])database.StringGet(key)!) };
    }

    public void Restore(IEnumerable<JsonObject> dump)
    {
        IDatabase database = _connection.GetDatabase();
        foreach (JsonObject entry in dump)
            if (entry["hash"] is JsonObject hash) database.HashSet((string)entry["key"]!, [.. hash.Select(field => new HashEntry(field.Key, (string)field.Value!))]);
            else database.StringSet((string)entry["key"]!, Convert.FromBase64String((string)entry["value"]!));
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await _connection.DisposeAsync();
        await _server.DisposeAsync();
    }
}

/// <param name="Item">Null: the user is forgotten.</param>
internal sealed record StoredChange(string User, string? Item)
{
    /// <summary>Of five users; one is forgotten and comes again.</summary>
    public static IEnumerable<StoredChange> All => Enumerable.Range(0, 60).Select(n => new StoredChange($"user-{n % 5:D2}", n == 42 ? null : $"item-{n * 7 % 40:D2}"));
}
