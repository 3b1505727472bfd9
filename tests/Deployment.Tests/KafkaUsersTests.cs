using System.Globalization;
using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Deployment.Tests;

/// <summary>A broker that <c>infra/kafka/start</c> starts and <c>infra/kafka/setup</c> sets up lets each service do its work and nothing else.</summary>
public sealed class KafkaUsersTests(DeployedKafka kafka) : IClassFixture<DeployedKafka>
{
    private static readonly LogRecord[] s_records = [new(Encoding.UTF8.GetBytes("ann"), "{}"u8.ToArray())];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_service_does_its_work()
    {
        using var api = await StartAsync("api");
        using var ingest = await StartAsync("ingest");
        using var indexer = await StartAsync("indexer");
        foreach (string topic in (string[])[Topics.Interactions, Topics.Items, Topics.DeadLetters]) await Log(api).AppendAsync(topic, s_records, Token);
        await Log(ingest).AppendAsync(Topics.DeadLetters, s_records, Token);

        await ReadAsync(ingest, Topics.Interactions, ReaderGroups.Ingest, PartitionSharing.Group);
        await ReadAsync(ingest, Topics.Items, ReaderGroups.Ingest, PartitionSharing.Group);
        await ReadAsync(ingest, Topics.DeadLetters, ReaderGroups.DeadLetters);
        int partition = await ReadAsync(indexer, Topics.Items, ReaderGroups.Indexer);
        await ReadAsync(indexer, Topics.Items, ReaderGroups.IndexerRebuild);
        await ReadAsync(api, Topics.Interactions, ReaderGroups.ApiPopularity);
        await ReadAsync(api, Topics.Interactions, ReaderGroups.ApiVariants);
        await ReadAsync(api, Topics.Items, ReaderGroups.ApiHiddenItems);
        await ReadAsync(api, Topics.Items, ReaderGroups.ApiFreshness);
        await ReadAsync(api, Topics.DeadLetters, ReaderGroups.DeadLetters);
        Assert.True(await Log(api).CommittedAsync(Topics.Items, ReaderGroups.Indexer, partition, Token) > 0);
        Assert.True(await Log(api).CommittedAsync(Topics.Interactions, ReaderGroups.Ingest, await PartitionOfAnn(api), Token) > 0);
    }

    [Theory]
    [InlineData("ingest", Topics.Interactions)]
    [InlineData("ingest", Topics.Items)]
    [InlineData("indexer", Topics.Interactions)]
    [InlineData("indexer", Topics.Items)]
    [InlineData("indexer", Topics.DeadLetters)]
    public async Task A_service_appends_to_no_other_topic(string user, string topic)
    {
        using var host = await StartAsync(user);
        var refused = await Assert.ThrowsAsync<IOException>(() => Log(host).AppendAsync(topic, s_records, Token).AsTask());
        Assert.Contains("authoriz", refused.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("ingest", "other-password")]
    [InlineData("nobody", "any-password")]
    public async Task Nobody_else_gets_in(string user, string password)
    {
        using var host = Host(user, password);
        var refused = await Assert.ThrowsAsync<IOException>(() => host.StartAsync(Token));
        Assert.Contains("Kafka", refused.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_password_is_changed_while_the_broker_runs()
    {
        string before = kafka.PasswordOf("indexer");
        await kafka.ChangePasswordAsync("indexer");
        using var old = Host("indexer", before);
        await Assert.ThrowsAsync<IOException>(() => old.StartAsync(Token));
        using var renewed = await StartAsync("indexer");
    }

    private static IEventLog Log(IHost host) => host.Services.GetRequiredService<IEventLog>();

    private static async Task<int> PartitionOfAnn(IHost host) => (await Log(host).AppendAsync(Topics.Interactions, s_records, Token))[0].Partition;

    private static async Task<int> ReadAsync(IHost host, string topic, string group, PartitionSharing sharing = PartitionSharing.None)
    {
        await using var subscription = Log(host).Subscribe(topic, group, _ => 0, sharing);
        using var batch = await subscription.ReadAsync(1, Token);
        await subscription.CommitAsync(batch.Partition, batch.NextOffset, Token);
        return batch.Partition;
    }

    private async Task<IHost> StartAsync(string user)
    {
        var host = Host(user, kafka.PasswordOf(user));
        await host.StartAsync(Token);
        return host;
    }

    private IHost Host(string user, string password)
    {
        bool known = user != "nobody" && password == kafka.PasswordOf(user);
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Kafka:BootstrapServers"] = kafka.Address, ["Kafka:SecurityProtocol"] = "SaslPlaintext", ["Kafka:SaslMechanism"] = "SCRAM-SHA-512", ["Kafka:SaslUsername"] = user, ["Kafka:SaslPassword"] = password,
            ["Kafka:AppendTimeout"] = "00:00:20", ["Kafka:RequestTimeout"] = known ? "00:00:20" : "00:00:03",
        });
        builder.Logging.ClearProviders();
        builder.Services.AddKafkaEventLog(builder.Configuration);
        return builder.Build();
    }
}
