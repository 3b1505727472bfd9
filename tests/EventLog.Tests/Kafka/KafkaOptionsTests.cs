using BeeFormer.Streaming.EventLog.Kafka;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.EventLog.Tests.Kafka;

public sealed class KafkaOptionsTests
{
    private static ServiceProvider Services(params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.Select(of => KeyValuePair.Create(of.Key, (string?)of.Value))).Build();
        return new ServiceCollection().AddLogging().AddKafkaEventLog(configuration).BuildServiceProvider();
    }

    private static KafkaOptions Options(params (string Key, string Value)[] settings) =>
        Services([("Kafka:BootstrapServers", "127.0.0.1:9"), .. settings]).GetRequiredService<IOptions<KafkaOptions>>().Value;

    [Fact]
    public void The_section_becomes_settings_of_the_client()
    {
        var options = Options(("Kafka:SecurityProtocol", "SaslSsl"), ("Kafka:SaslMechanism", "SCRAM-SHA-512"), ("Kafka:SaslUsername", "shop"), ("Kafka:SaslPassword", "secret"), ("Kafka:SslCaLocation", "/ca.pem"),
            ("Kafka:Client:ssl.endpoint.identification.algorithm", "none"), ("Kafka:Client:linger.ms", "7"), ("Kafka:AppendTimeout", "00:00:05"), ("Kafka:Topics:interactions:Partitions", "12"));
        var producer = KafkaClientSettings.Producer(options);
        Assert.Equal(["sasl_ssl", "SCRAM-SHA-512", "shop", "secret", "/ca.pem", "none", "7", "5000", "all", "true", "murmur2_random"],
            new[] { "security.protocol", "sasl.mechanism", "sasl.username", "sasl.password", "ssl.ca.location", "ssl.endpoint.identification.algorithm", "linger.ms", "message.timeout.ms", "acks", "enable.idempotence", "partitioner" }.Select(key => producer[key]));
        var consumer = KafkaClientSettings.Consumer(options, "g");
        Assert.Equal(["g", "error", "false", "false", "read_committed", "cooperative-sticky", "none"],
            new[] { "group.id", "auto.offset.reset", "enable.auto.commit", "enable.auto.offset.store", "isolation.level", "partition.assignment.strategy", "ssl.endpoint.identification.algorithm" }.Select(key => consumer[key]));
        Assert.Equal(12, options.Topic("interactions").Partitions);
        Assert.DoesNotContain("partition.assignment.strategy", KafkaClientSettings.Consumer(options with { GroupProtocol = "Consumer" }, "g").Keys);
    }

    [Theory]
    [InlineData("enable.idempotence")]
    [InlineData("acks")]
    [InlineData("Acks")]
    [InlineData("enable.auto.commit")]
    [InlineData("enable.auto.offset.store")]
    [InlineData("auto.offset.reset")]
    [InlineData("group.id")]
    [InlineData("isolation.level")]
    [InlineData("partitioner")]
    [InlineData("sasl.password")]
    public void Settings_that_a_guarantee_rests_on_are_refused(string setting)
    {
        var refused = Assert.Throws<OptionsValidationException>(() => Options(($"Kafka:Client:{setting}", "any")));
        Assert.StartsWith($"Kafka:Client:{setting} cannot be set: ", Assert.Single(refused.Failures));
    }

    [Theory]
    [InlineData("Kafka:SecurityProtocol", "tls", "Kafka:SecurityProtocol is 'tls'; expected Plaintext, Ssl, SaslPlaintext or SaslSsl.")]
    [InlineData("Kafka:GroupProtocol", "eager", "Kafka:GroupProtocol is 'eager'; expected classic or consumer.")]
    [InlineData("Kafka:TopicPrefix", "my shop", "Kafka:TopicPrefix is 'my shop'; expected up to 100 letters, digits, '.', '_' or '-'.")]
    [InlineData("Kafka:AppendTimeout", "00:00:00", "Kafka:AppendTimeout is 00:00:00; expected 00:00:01 to 00:15:00.")]
    [InlineData("Kafka:Topics:items:Partitions", "0", "Kafka:Topics:items:Partitions is 0; expected 1 to 1000.")]
    [InlineData("Kafka:Topics:items:Retention", "00:00:01", "Kafka:Topics:items:Retention is 00:00:01; expected at least 00:01:00.")]
    [InlineData("Kafka:MaxRecordBytes", "10", "Kafka:MaxRecordBytes is 10; expected 4096 to 16777216.")]
    public void A_wrong_value_is_named(string key, string value, string expected) =>
        Assert.Equal(expected, Assert.Single(Assert.Throws<OptionsValidationException>(() => Options((key, value))).Failures));

    [Fact]
    public void An_unknown_key_is_refused() =>
        Assert.Contains("Retries", Assert.Throws<InvalidOperationException>(() => Options(("Kafka:Retries", "3"))).Message);

    [Fact]
    public void A_setting_that_the_client_does_not_know_is_refused_by_name()
    {
        using var services = Services(("Kafka:BootstrapServers", "127.0.0.1:9"), ("Kafka:Client:linger.mss", "7"), ("Kafka:SaslPassword", "secret"));
        var refused = Assert.Throws<InvalidDataException>(services.GetRequiredService<IEventLog>);
        Assert.Contains("linger.mss", refused.Message);
        Assert.DoesNotContain("secret", refused.ToString());
    }

    [Fact]
    public void The_log_takes_part_in_the_health_of_the_process()
    {
        using var services = Services(("Kafka:BootstrapServers", "127.0.0.1:9"));
        var check = Assert.Single(services.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations, registration => registration.Name == "kafka");
        Assert.Equal(["live", "ready"], check.Tags.Order());
        Assert.Same(services.GetRequiredService<KafkaHealth>(), check.Factory(services));
    }
}
