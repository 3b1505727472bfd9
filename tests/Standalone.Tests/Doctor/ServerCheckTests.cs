using System.Net;
using System.Net.Sockets;
using System.Text;
using BeeFormer.Streaming.Standalone.Commands;
using BeeFormer.Streaming.Standalone.Doctor;
using BeeFormer.Streaming.Standalone.Tests.DataSets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.Standalone.Tests.Doctor;

/// <summary>Servers that answer, are away, are silent or refuse.</summary>
public sealed class ServerCheckTests
{
    private const string Secret = "hunter2-hunter2";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Each server with the settings that put it at an address, secrets among them.</summary>
    private static Dictionary<string, string?> At(string check, string address) => check switch
    {
        "event log: Kafka" => new() { ["Kafka:BootstrapServers"] = address, ["Kafka:SecurityProtocol"] = "SaslPlaintext", ["Kafka:SaslMechanism"] = "PLAIN", ["Kafka:SaslUsername"] = "shop", ["Kafka:SaslPassword"] = Secret },
        "profiles: Redis" => new() { ["Redis:Configuration"] = $"{address},password={Secret}" },
        "vector index: Qdrant" => new() { ["Qdrant:Endpoint"] = $"http://{address}", ["Qdrant:ApiKey"] = Secret },
        "models: S3" => new() { ["Models:Uri"] = "s3://bucket/prefix", ["Models:S3:ServiceUrl"] = $"http://{address}", ["Models:S3:ForcePathStyle"] = "true" },
        _ => new() { ["Storage:Uri"] = "s3://bucket/prefix", ["Storage:S3:ServiceUrl"] = $"http://{address}", ["Storage:S3:ForcePathStyle"] = "true" },
    };

    public static TheoryData<string> Servers => [.. Server.All.Select(server => server.Check)];

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task One_that_is_not_configured_is_not_asked(string check) =>
        DoctorTests.Is("ok", await LookAsync(check, []), "the embedded part is used");

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task One_that_is_away_is_a_problem_and_no_secret_is_told(string check)
    {
        using var refusing = new TcpListener(IPAddress.Loopback, 0);
        refusing.Start();
        string address = refusing.LocalEndpoint.ToString()!;
        refusing.Stop();
        await AssertSilentAsync(check, address);
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task One_that_accepts_and_says_nothing_is_given_up(string check)
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await AssertSilentAsync(check, silent.LocalEndpoint.ToString()!);
    }

    private static async Task AssertSilentAsync(string check, string address)
    {
        Finding finding = await LookAsync(check, At(check, address));
        DoctorTests.Is("problem", finding);
        Assert.DoesNotContain(Secret, $"{finding}", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("event log: Kafka", "Kafka:SecurityProtocol", "Carrier pigeon")]
    [InlineData("profiles: Redis", "Redis:Configuration", ",password=" + Secret)]
    [InlineData("vector index: Qdrant", "Qdrant:Endpoint", "localhost")]
    [InlineData("windows: S3", "Storage:S3:ServiceUrl", "localhost")]
    [InlineData("models: S3", "Models:S3:ServiceUrl", "localhost")]
    public async Task A_setting_that_is_wrong_is_named(string check, string key, string value)
    {
        Finding finding = await LookAsync(check, new(At(check, "127.0.0.1:1")) { [key] = value });
        DoctorTests.Is("problem", finding, key);
        Assert.Equal("Set the key right.", finding.Advice);
        Assert.DoesNotContain(Secret, $"{finding}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_server_is_asked_twice_within_its_time_and_a_wrong_setting_once()
    {
        int asked = 0;
        Server That(Func<CancellationToken, Task<string>> answers) => new("a server", "A:Key", _ => true, (_, _, token) =>
        {
            asked++;
            return answers(token);
        });
        ServerCheck hasty = new(TimeProvider.System, TimeSpan.FromSeconds(1)), patient = new(TimeProvider.System, TimeSpan.FromMinutes(1));
        IConfiguration nothing = new ConfigurationBuilder().Build();

        DoctorTests.Is("problem", await patient.LookAsync(That(_ => throw new IOException("away")), nothing, Token), "away");
        Assert.Equal(ServerCheck.Attempts, asked);
        DoctorTests.Is("problem", await hasty.LookAsync(That(_ => new TaskCompletionSource<string>().Task), nothing, Token), "no answer within");
        Assert.Equal(2 * ServerCheck.Attempts, asked);
        DoctorTests.Is("problem", await patient.LookAsync(That(_ => throw new InvalidDataException("wrong")), nothing, Token), "wrong");
        Assert.Equal(2 * ServerCheck.Attempts + 1, asked);
        DoctorTests.Is("ok", await patient.LookAsync(That(_ => Task.FromResult("well")), nothing, Token), "well");
    }

    [Fact]
    public async Task A_Qdrant_that_answers_tells_its_version_and_gets_the_key()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(server => server.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Logging.ClearProviders();
        await using WebApplication qdrant = builder.Build();
        string? key = null;
        qdrant.MapPost("/qdrant.Qdrant/HealthCheck", async context =>
        {
            key = context.Request.Headers["api-key"];
            byte[] version = Encoding.ASCII.GetBytes("1.19.0");
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.WriteAsync((byte[])[0, 0, 0, 0, (byte)(version.Length + 2), 2 << 3 | 2, (byte)version.Length, .. version], Token); // a frame; field 2, text
            context.Response.AppendTrailer("grpc-status", "0");
        });
        await qdrant.StartAsync(Token);
        Finding finding = await LookAsync("vector index: Qdrant", At("vector index: Qdrant", new Uri(qdrant.Urls.Single()).Authority), TimeSpan.FromMinutes(1));
        DoctorTests.Is("ok", finding, "version 1.19.0");
        Assert.Equal(Secret, key);
    }

    [Fact]
    public async Task The_configuration_reaches_the_servers_from_the_environment()
    {
        using var files = new Files();
        using EndToEnd.Program program = EndToEnd.Program.Start([("Qdrant__Endpoint", "http://127.0.0.1:1"), ("Qdrant__ApiKey", Secret)], ["doctor", "--data", Path.Combine(files.Folder, "data"), "--port", "0"]);
        Assert.Equal(ExitCodes.NotDone, await program.ExitAsync());
        Assert.Contains("Qdrant at 127.0.0.1:1", program.Said, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, program.Said, StringComparison.Ordinal);
    }

    private static Task<Finding> LookAsync(string check, Dictionary<string, string?> settings, TimeSpan? limit = null) =>
        new ServerCheck(TimeProvider.System, limit ?? Limit).LookAsync(Server.All.Single(server => server.Check == check), new ConfigurationBuilder().AddInMemoryCollection(settings).Build(), Token);
}
