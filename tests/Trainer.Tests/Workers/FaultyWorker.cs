using System.Collections.Concurrent;
using System.Net;
using BeeFormer.Streaming.Trainer.Wire;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>What a worker does wrong, and how often it was called.</summary>
internal sealed class Faults
{
    private readonly ConcurrentDictionary<string, int> _calls = new();

    /// <summary>Told the call and which of its kind it is, from 1.</summary>
    public Func<string, int, ServerCallContext, Task> Before { get; init; } = (_, _, _) => Task.CompletedTask;

    /// <summary>Changes what it answers.</summary>
    public Func<string, Part, Part?> Answer { get; init; } = (_, part) => part;

    /// <summary>Weights are taken, and laid aside.</summary>
    public bool ForgetsWeights { get; init; }

    public int Calls(string call) => _calls.GetValueOrDefault(call);

    public Task MetAsync(string call, ServerCallContext context) => Before(call, _calls.AddOrUpdate(call, 1, (_, n) => n + 1), context);
}

/// <summary>A worker with faults, on a free port.</summary>
internal sealed class FaultyWorker : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("beeformer-worker-").FullName;
    private readonly WebApplication _app;

    private FaultyWorker(WebApplication app) => _app = app;

    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public WorkerSeat Seat => _app.Services.GetRequiredService<WorkerSeat>();

    public static async Task<FaultyWorker> StartAsync(Faults faults)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(faults);
        var options = new WorkersOptions();
        builder.Services.AddSingleton(options);
        FaultyWorker? worker = null;
        builder.Services.AddSingleton(_ => new WorkerSeat(options, new WorkerIdentity(), worker!._folder, threads: 1, TimeProvider.System));
        builder.Services.AddGrpc(grpc => grpc.Interceptors.Add<WorkerCallChecks>());
        worker = new FaultyWorker(builder.Build());
        worker._app.UseRouting();
        worker._app.MapGrpcService<Service>();
        await worker._app.StartAsync(TestContext.Current.CancellationToken);
        return worker;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(true));
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private sealed class Service(WorkerSeat seat, Faults faults) : EncoderWorkerService(seat)
    {
        public override async Task<Joined> Join(IAsyncStreamReader<ModelPart> requestStream, ServerCallContext context)
        {
            await faults.MetAsync(nameof(Join), context);
            return await base.Join(requestStream, context);
        }

        public override async Task<Taken> TakeWeights(IAsyncStreamReader<Part> requestStream, ServerCallContext context)
        {
            await faults.MetAsync(nameof(TakeWeights), context);
            if (!faults.ForgetsWeights) return await base.TakeWeights(requestStream, context);
            while (await requestStream.MoveNext()) { }
            return new Taken();
        }

        public override async Task Embed(IAsyncStreamReader<Chunk> requestStream, IServerStreamWriter<Part> responseStream, ServerCallContext context)
        {
            await faults.MetAsync(nameof(Embed), context);
            await base.Embed(requestStream, new Changing(responseStream, part => faults.Answer(nameof(Embed), part)), context);
        }

        public override async Task BackPropagate(IAsyncStreamReader<Chunk> requestStream, IServerStreamWriter<Part> responseStream, ServerCallContext context)
        {
            await faults.MetAsync(nameof(BackPropagate), context);
            await base.BackPropagate(requestStream, new Changing(responseStream, part => faults.Answer(nameof(BackPropagate), part)), context);
        }
    }

    private sealed class Changing(IServerStreamWriter<Part> to, Func<Part, Part?> change) : IServerStreamWriter<Part>
    {
        public WriteOptions? WriteOptions { get => to.WriteOptions; set => to.WriteOptions = value; }

        public Task WriteAsync(Part message) => change(message) is { } changed ? to.WriteAsync(changed) : Task.CompletedTask;

        public Task WriteAsync(Part message, CancellationToken cancellationToken) => change(message) is { } changed ? to.WriteAsync(changed, cancellationToken) : Task.CompletedTask;
    }
}
