using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using BeeFormer.Streaming.Api;

namespace BeeFormer.Streaming.Deployment.Tests;

public sealed class SecretsTests(MadeSecrets secrets)
{
    [Theory]
    [InlineData("shop", "read,write")]
    [InlineData("operator", "read,write,admin")]
    [InlineData("prometheus", "admin")]
    public void The_Api_knows_each_key_by_its_hash(string name, string scopes)
    {
        var entry = JsonNode.Parse(secrets.Read("keys.json"))!["ApiKeys"]!.AsArray().Single(entry => (string)entry!["Name"]! == name)!;
        Assert.Equal(scopes, (string)entry["Scopes"]!);
        var hash = ApiKeyHash.Parse((string)entry["Hash"]!);
        Assert.True(hash!.Fits(secrets.Read($"api-{name}.key")));
        Assert.Equal(hash.Salt, ApiKeyHash.SaltOf(secrets.Read($"api-{name}.key")));
    }

    [Theory]
    [InlineData("trainer")]
    [InlineData("indexer")]
    [InlineData("api")]
    public void RabbitMq_knows_each_user_by_a_salted_hash(string name)
    {
        var user = JsonNode.Parse(secrets.Read("rabbitmq.json"))!["users"]!.AsArray().Single(user => (string)user!["name"]! == name)!;
        byte[] stored = Convert.FromBase64String((string)user["password_hash"]!);
        byte[] expected = SHA256.HashData([.. stored[..4], .. Encoding.UTF8.GetBytes(secrets.Read($"rabbitmq-{name}"))]);
        Assert.Equal(expected, stored[4..]);
    }

    [Fact]
    public async Task Made_again_they_are_the_same_and_one_that_was_deleted_is_new()
    {
        await using var secrets = new MadeSecrets();
        await secrets.MakeAsync();
        string[] kept = ["kafka-ingest", "api-shop.key", "s3-api.id"];
        string[] before = [.. kept.Select(secrets.Read)];
        string grafana = secrets.Read("grafana");
        File.Delete(secrets.At("grafana"));
        await secrets.MakeAsync();
        Assert.Equal(before, kept.Select(secrets.Read));
        Assert.NotEqual(grafana, secrets.Read("grafana"));
    }

    [Fact]
    public void Nobody_else_enters_the_folder_and_no_secret_is_one_of_two()
    {
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(secrets.Folder));
        string[] random = [.. Directory.GetFiles(secrets.Folder).Where(file => !Path.HasExtension(file) || Path.GetExtension(file) is ".key" or ".id").Select(File.ReadAllText)];
        Assert.True(random.Length > 20, $"Only {random.Length} secrets were found.");
        Assert.Equal(random.Length, random.Distinct().Count());
        Assert.All(random, secret => Assert.True(secret.Trim().Length >= 20, "a secret is short"));
    }

    [Fact]
    public async Task Git_refuses_the_folder() => Assert.Equal("infra/secrets/keys.json", (await Repository.RunAsync("git", "git", "check-ignore", "infra/secrets/keys.json")).Trim());
}
