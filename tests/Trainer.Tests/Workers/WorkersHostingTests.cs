using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Trainer.Tests;

[Collection(ThreadCountCollection.Name)]
public sealed class WorkersHostingTests
{
    [Fact]
    public async Task A_process_offers_itself_where_it_is_told_to_listen()
    {
        using IHost host = Host(new() { ["Workers:Listen"] = "http://127.0.0.1:0", ["Workers:Endpoints:0"] = "http://127.0.0.1:1" });
        await host.StartAsync(TestContext.Current.CancellationToken);
        Uri address = host.Services.GetServices<IHostedService>().OfType<TrainingWorkerServer>().Single().Address!;
        using var training = new SpreadTraining(new WorkersOptions { Endpoints = [address.ToString()] });
        await training.JoinAsync();
        training.Step(0);
        Assert.Single(training.Workers.Ready);
        Assert.Equal(["http://127.0.0.1:1"], host.Services.GetRequiredService<IOptions<WorkersOptions>>().Value.Endpoints);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Without_an_address_it_offers_nothing()
    {
        using IHost host = Host([]);
        await host.StartAsync(TestContext.Current.CancellationToken);
        Assert.Null(host.Services.GetServices<IHostedService>().OfType<TrainingWorkerServer>().Single().Address);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Over_tls_the_worker_must_be_signed_by_whom_the_trainer_trusts()
    {
        string folder = Directory.CreateTempSubdirectory("beeformer-tls-").FullName;
        string certificate = Path.Combine(folder, "worker.pem"), key = Path.Combine(folder, "worker.key");
        using (var rsa = RSA.Create(2048))
        {
            var request = new CertificateRequest("CN=127.0.0.1", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
            using X509Certificate2 its = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
            await File.WriteAllTextAsync(certificate, its.ExportCertificatePem(), TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(key, rsa.ExportPkcs8PrivateKeyPem(), TestContext.Current.CancellationToken);
        }
        await using (LocalWorker worker = await LocalWorker.StartAsync(new WorkersOptions { Listen = "https://127.0.0.1:0", Certificate = certificate, CertificateKey = key }))
        {
            foreach (string? trusted in (string?[])[certificate, null])
            {
                using var training = new SpreadTraining(new WorkersOptions { Endpoints = [worker.Address], CaCertificate = trusted });
                await training.JoinAsync();
                training.Step(0);
                Assert.Equal(trusted is null ? 0 : 1, training.Workers.Ready.Count);
            }
        }
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("Workers:Listen", "http://0.0.0.0:5100", "set Workers:Token")]
    [InlineData("Workers:Listen", "https://127.0.0.1:5100", "set Workers:Certificate")]
    [InlineData("Workers:Listen", "http://worker:5100", "expected http://IP:port")]
    [InlineData("Workers:Endpoints:0", "worker:5100", "Workers:Endpoints holds 'worker:5100'")]
    [InlineData("Workers:Token", "short", "at least 16")]
    [InlineData("Workers:Deadline", "00:00:00", "Workers:Deadline")]
    [InlineData("Workers:Device", "gpu", "Workers:Device is 'gpu'")]
    [InlineData("Workers:Adress", "x", "Adress")]
    public async Task A_wrong_setting_stops_the_start_and_is_named(string key, string value, string named)
    {
        using IHost host = Host(new() { [key] = value });
        Exception problem = await Assert.ThrowsAnyAsync<Exception>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains(named, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Several_devices_and_workers_at_once_are_refused()
    {
        var directory = new WorkerDirectory(Options.Create(new WorkersOptions { Endpoints = ["http://127.0.0.1:1"] }), new WorkerIdentity(), TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance);
        Assert.Contains("name one device", directory.Problem(new TrainingPolicy { TrainDistributed = true, Devices = ["cpu", "cpu"] }), StringComparison.Ordinal);
        Assert.Null(directory.Problem(new TrainingPolicy { TrainDistributed = true }));
        Assert.False(directory.Serves(new TrainingPolicy()));
    }

    private static IHost Host(Dictionary<string, string?> settings)
    {
        HostApplicationBuilder builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(settings);
        builder.AddTrainingWorker();
        builder.Logging.ClearProviders();
        return builder.Build();
    }
}
