using System.Diagnostics;
using BeeFormer.Streaming.Servers;

namespace BeeFormer.Streaming.EndToEnd.Tests;

/// <summary>Each service as a program, without any server.</summary>
public sealed class ServiceProgramTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Ingest", "Kafka:BootstrapServers", "Redis:Configuration", "Storage:Uri")]
    [InlineData("Trainer", "Storage:Uri", "Models:Uri", "RabbitMq:Host")]
    [InlineData("Indexer", "Kafka:BootstrapServers", "Qdrant:Endpoint", "Storage:Uri", "Models:Uri", "RabbitMq:Host")]
    [InlineData("Api", "Kafka:BootstrapServers", "Qdrant:Endpoint", "Redis:Configuration", "Models:Uri", "RabbitMq:Host")]
    public async Task Refuses_to_start_without_servers_and_names_the_keys(string service, params string[] keys)
    {
        var (code, output, error) = await RunAsync(service, [], []);
        Assert.Equal((1, ""), (code, output));
        Assert.Single(error.Trim().Split('\n'));
        foreach (string key in keys) Assert.Contains(key, error, StringComparison.Ordinal);

        // One that is there is not asked for, from whatever source it comes.
        string secrets = Directory.CreateTempSubdirectory("beeformer-secrets-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(secrets, keys[0].Replace(":", "__", StringComparison.Ordinal)), "there\n", Token);
            (code, _, error) = await RunAsync(service, [$"--{keys[1]}=there"], [("Secrets", secrets)]);
            Assert.Equal(1, code);
            foreach (string key in keys[..2]) Assert.DoesNotContain(key, error, StringComparison.Ordinal);
            Assert.Contains(keys[2], error, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(secrets, recursive: true);
        }
    }

    [Fact]
    public async Task A_folder_of_secrets_that_is_named_has_to_be_there()
    {
        var (code, _, error) = await RunAsync("Ingest", [], [("Secrets", "/nowhere/at/all")]);
        Assert.Equal(1, code);
        Assert.Contains("Secrets is /nowhere/at/all", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_says_what_it_needs_and_health_that_nobody_answers()
    {
        var (code, output, _) = await RunAsync("Indexer", ["--help"], []);
        Assert.Equal(0, code);
        Assert.Contains("Qdrant:Endpoint", output, StringComparison.Ordinal);
        (code, output, _) = await RunAsync("Indexer", ["health", $"--Urls=http://127.0.0.1:{Ports.Take()}"], []);
        Assert.Equal(1, code);
        Assert.Contains("does not answer", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_Api_without_keys_listens_on_this_machine_alone()
    {
        string[] servers = ["--Kafka:BootstrapServers=127.0.0.1:1", "--Qdrant:Endpoint=http://127.0.0.1:1", "--Redis:Configuration=127.0.0.1:1", "--Models:Uri=/tmp/nothing", "--RabbitMq:Host=127.0.0.1"];
        var (code, _, error) = await RunAsync("Api", [.. servers, "--Urls=http://0.0.0.0:0"], []);
        Assert.Equal(1, code);
        Assert.Contains("no API keys are configured", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waits_for_a_store_of_objects_that_is_away()
    {
        Requirement.Of(S3Server.Missing);
        string folder = Directory.CreateTempSubdirectory("beeformer-waits-").FullName;
        await using (var s3 = new S3Server(Path.Combine(folder, "s3")))
        await using (var trainer = new ServiceProcess("Trainer", 1, folder, new Dictionary<string, string?>
        {
            ["RabbitMq:Host"] = "127.0.0.1", ["RabbitMq:Port"] = "1", ["Storage:Uri"] = Path.Combine(folder, "windows"), ["Models:Uri"] = $"s3://{S3Server.Bucket}/models",
            ["Storage:S3:ServiceUrl"] = $"http://127.0.0.1:{s3.Port}", ["Storage:S3:ForcePathStyle"] = "true", ["AWS_ACCESS_KEY_ID"] = S3Server.AccessKey, ["AWS_SECRET_ACCESS_KEY"] = S3Server.SecretKey,
        }))
        {
            Task starting = trainer.StartAsync(Token);
            await ChildProcess.UntilAsync(() => Task.FromResult(File.Exists(trainer.Log) && File.ReadAllText(trainer.Log).Contains("Next attempt to start", StringComparison.Ordinal)), "a sentence about the attempt", Token);
            Assert.Contains($"s3://{S3Server.Bucket}/models", await File.ReadAllTextAsync(trainer.Log, Token), StringComparison.Ordinal);
            Assert.False(starting.IsCompleted);
            await s3.StartAsync(Token);
            await starting;
        }
        Directory.Delete(folder, recursive: true);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(string service, string[] arguments, (string Key, string Value)[] environment)
    {
        string data = Directory.CreateTempSubdirectory("beeformer-service-").FullName;
        var start = new ProcessStartInfo("dotnet", [Checkout.Built(service, $"BeeFormer.Streaming.{service}.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = data };
        foreach (var (key, value) in environment) start.Environment[key] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(Token);
        string error = await process.StandardError.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        Directory.Delete(data, recursive: true);
        return (process.ExitCode, await output, error);
    }
}
