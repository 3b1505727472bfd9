using System.Security.Cryptography.X509Certificates;
using BeeFormer.Streaming.Encoder;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Offers this process as a worker, on a port of its own, where <c>Workers:Listen</c> is set.</summary>
internal sealed class TrainingWorkerServer(IOptions<WorkersOptions> options, IOptions<TrainerOptions> trainer, WorkerIdentity identity, TimeProvider clock, ILoggerFactory loggers, EncoderOutputCache? cache = null) : IHostedService, IAsyncDisposable
{
    private WebApplication? _app;

    /// <summary>Where it listens; null: it does not.</summary>
    public Uri? Address { get; private set; }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        WorkersOptions its = options.Value;
        if (string.IsNullOrEmpty(its.Listen)) return;
        _ = TrainingDevices.Of(new TrainingPolicy { Device = its.Device }); // this machine may lack it
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            // A Trainer that is gone without a word ends its calls.
            (kestrel.Limits.Http2.KeepAlivePingDelay, kestrel.Limits.Http2.KeepAlivePingTimeout) = (TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(10));
            kestrel.Listen(WorkersOptions.Address(its.Listen)!, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                if (its.IsHttps) listen.UseHttps(X509Certificate2.CreateFromPemFile(its.Certificate!, its.CertificateKey));
            });
        });
        if (its.IsHttps) builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton(its);
        builder.Services.AddSingleton(_ => new WorkerSeat(its, identity, Path.Combine(cache?.Folder ?? Path.Combine(Path.GetTempPath(), $"beeformer-{identity.Id}"), "worker"), trainer.Value.ThreadCount, clock));
        builder.Services.AddGrpc(grpc => grpc.Interceptors.Add<WorkerCallChecks>());
        _app = builder.Build();
        _app.UseRouting();
        _app.MapGrpcService<EncoderWorkerService>();
        await _app.StartAsync(cancellationToken);
        Address = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        loggers.CreateLogger<TrainingWorkerServer>().LogInformation("This process is a training worker at {Address}", Address);
    }

    public Task StopAsync(CancellationToken cancellationToken) => _app?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_app is not null) await _app.DisposeAsync();
        _app = null;
    }
}
