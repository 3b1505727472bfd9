using System.Globalization;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.Servers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace BeeFormer.Streaming.Scaling;

/// <summary>What a user costs in Redis and on disk, by the number of interactions that the profile holds; event ids are GUIDs of the producer's.</summary>
internal static class StoredUsers
{
    public static async Task MeasureAsync(string folder, int users)
    {
        if (RedisServer.Missing is { } missing) Console.WriteLine(missing);
        Console.WriteLine($"{users:N0} users");
        Console.WriteLine("| interactions a user | Redis: bytes a user | an interaction | embedded: bytes a user on disk | an interaction |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (int each in (int[])[1, 10, 50, 200])
        {
            double redis = RedisServer.Missing is null ? await RedisAsync(Path.Combine(folder, $"redis-{each}"), users, each) : double.NaN;
            double disk = await EmbeddedAsync(Path.Combine(folder, $"embedded-{each}"), users, each);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {each} | {redis:N0} | {redis / each:F0} | {disk:N0} | {disk / each:F0} |"));
        }
    }

    private static async Task<double> RedisAsync(string folder, int users, int each)
    {
        await using var server = new RedisServer(folder);
        await server.StartAsync(default);
        await using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{server.Port},allowAdmin=true");
        long empty = Used(connection);
        await using (ServiceProvider services = new ServiceCollection().AddRedisProfiles(new ConfigurationBuilder().AddInMemoryCollection([new("Redis:Configuration", $"127.0.0.1:{server.Port}")]).Build()).BuildServiceProvider())
            await FillAsync(services.GetRequiredService<IProfiles>(), users, each);
        return (Used(connection) - empty) / (double)users;
    }

    private static long Used(ConnectionMultiplexer connection) =>
        long.Parse(connection.GetServers()[0].Info("memory").SelectMany(section => section).Single(entry => entry.Key == "used_memory_dataset").Value, CultureInfo.InvariantCulture);

    private static async Task<double> EmbeddedAsync(string folder, int users, int each)
    {
        await using (ServiceProvider services = new ServiceCollection().AddEmbeddedProfiles(folder).BuildServiceProvider())
        {
            var profiles = services.GetRequiredService<IProfiles>();
            await FillAsync(profiles, users, each);
            await profiles.FlushAsync(default);
        }
        return Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length) / (double)users;
    }

    /// <summary>Users one after the other, so that each profile is written once.</summary>
    private static async Task FillAsync(IProfiles profiles, int users, int each)
    {
        var changes = new List<ProfileChange>();
        long offset = 0;
        for (int user = 0; user < users; user++)
        {
            for (int n = 0; n < each; n++, offset++)
                changes.Add(new ProfileChange(offset, new UserId($"user-{user:D9}"), new ProfileInteraction(new Guid((int)offset, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10).ToString(), new ItemId($"item-{offset % 20_000:D6}"), "purchase", 1, 1_700_000_000_000 + offset)));
            if (changes.Count < 4_096 && user < users - 1) continue;
            await profiles.ApplyAsync(0, offset, changes, default);
            changes.Clear();
        }
    }
}
