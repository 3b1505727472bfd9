using System.Net;
using System.Net.Sockets;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles.Embedded;
using BeeFormer.Streaming.Profiles.Redis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Profiles.Tests;

public sealed class ProfilesRegistrationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-profiles-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static IConfiguration Configuration(params (string Key, string Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))).Build();

    [Fact]
    public async Task Configuration_alone_decides_which_form_runs()
    {
        await using var embedded = new ServiceCollection().AddProfiles(Configuration(("Profiles:InteractionsPerUser", "7")), _folder).BuildServiceProvider();
        Assert.IsType<EmbeddedProfiles>(embedded.GetRequiredService<IProfiles>());
        Assert.Equal(7, embedded.GetRequiredService<ProfilesOptions>().InteractionsPerUser);
        await using var redis = new ServiceCollection().AddProfiles(Configuration(("Redis:Configuration", "127.0.0.1:1,connectTimeout=100,connectRetry=1")), _folder).BuildServiceProvider();
        Assert.IsType<RedisProfiles>(redis.GetRequiredService<IProfiles>());
    }

    /// <summary>A server that takes connections and says nothing: a reader waits as long as a read may take, not until the connection is given up.</summary>
    [Fact]
    public async Task A_Redis_that_hangs_holds_up_reads_for_their_own_limit()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var time = new FakeTimeProvider();
        string server = $"{silent.LocalEndpoint},connectTimeout=60000";
        await using var redis = new ServiceCollection().AddSingleton<TimeProvider>(time).AddProfiles(Configuration(("Redis:Configuration", server)), _folder).BuildServiceProvider();
        Task reading = Task.Run(() => redis.GetRequiredService<IProfiles>().GetAsync(new UserId("u"), TestContext.Current.CancellationToken).AsTask(), TestContext.Current.CancellationToken);
        using (var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5)))
            while (!reading.IsCompleted && await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken)) time.Advance(TimeSpan.FromSeconds(1));
        Assert.Contains("did not answer in time", (await Assert.ThrowsAsync<IOException>(() => reading)).Message);
        silent.Stop(); // which ends the attempt to connect
    }

    [Theory]
    [InlineData("Profiles:InteractionsPerUser", "0", "Profiles:InteractionsPerUser is 0; expected 1 to 10,000")]
    [InlineData("Profiles:MemoryBytes", "1000", "Profiles:MemoryBytes is 1000; expected 1 MiB")]
    [InlineData("Profiles:WriteInterval", "00:00:00", "Profiles:WriteInterval is 00:00:00; expected more than zero")]
    [InlineData("Profiles:TimeToLive", "-1.00:00:00", "Profiles:TimeToLive is -1.00:00:00; expected 0")]
    [InlineData("Profiles:Prefix", "a{b}", "Profiles:Prefix is \"a{b}\"; expected 1 to 64 letters")]
    [InlineData("Profiles:Shards", "1025", "Profiles:Shards is 1025; expected 1 to 1,024")]
    [InlineData("Profiles:Memory", "1", "Memory")]
    [InlineData("Profiles:Shards", "many", "Profiles:Shards")]
    [InlineData("Redis:Configuration", "password=secret", "Redis:Configuration names no server; expected host:port")]
    [InlineData("Redis:Configuration", "host:1,password=secret,no such setting=1", "Redis:Configuration cannot be read; expected host:port")]
    public void A_wrong_setting_is_named(string key, string value, string sentence)
    {
        var wrong = Assert.Throws<OptionsValidationException>(() => new ServiceCollection().AddProfiles(Configuration((key, value)), _folder));
        Assert.Contains(sentence, Assert.Single(wrong.Failures));
        Assert.DoesNotContain("secret", wrong.ToString());
    }
}
