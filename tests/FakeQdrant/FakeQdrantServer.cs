using System.Collections.Concurrent;
using System.Net;
using BeeFormer.Streaming.Servers;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>
/// Qdrant's gRPC interface in memory, as far as <c>qdrant.proto</c> goes, with the answers of a real server 1.19 of one node: exact search, one segment, no disk but <see cref="FakeQdrantOptions.Journal"/>.
/// Tests make it fail as they need.
/// </summary>
public sealed class FakeQdrantServer : IAsyncDisposable
{
    private readonly FakeQdrantOptions options;
    private readonly Store store;
    private readonly Faults faults = new();
    private readonly ConcurrentQueue<RecordedCall> calls = new();
    private readonly ApiKeys keys;
    private readonly IReadOnlyList<Rpc> methods;
    private readonly Journal? journal;
    private WebApplication? app;

    private FakeQdrantServer(FakeQdrantOptions options)
    {
        (this.options, store, keys) = (options, new Store(options.Time, options.Version), new ApiKeys(options.ApiKey, options.ReadOnlyApiKey));
        methods = Rpc.All(store, () => HoldUnwaitedWrites, info => Report?.Invoke(info));
        if (options.Journal is { } file) journal = new Journal(file, methods);
    }

    /// <summary>Where it listens, or did before it went down.</summary>
    public Uri Endpoint { get; private set; } = new("http://127.0.0.1:0");

    /// <summary>Every attempt so far, in order.</summary>
    public IReadOnlyList<RecordedCall> Calls => [.. calls];

    /// <summary>True: writes that are not waited for are acknowledged and only applied together with the next one that is.</summary>
    public bool HoldUnwaitedWrites { get; set; }

    /// <summary>Changes what a collection reports of itself: another status, fewer indexed vectors.</summary>
    public Action<CollectionInfo>? Report { get; set; }

    public static async Task<FakeQdrantServer> StartAsync(FakeQdrantOptions? options = null)
    {
        var server = new FakeQdrantServer(options ?? new());
        await server.UpAsync();
        return server;
    }

    /// <returns>The fault, for <see cref="Heal"/>.</returns>
    public Fault Inject(Fault fault)
    {
        faults.Add(fault);
        return fault;
    }

    public void Heal(Fault fault) => faults.Remove(fault);

    /// <summary>How many calls of a method came.</summary>
    /// <param name="method">As in <c>Points/Upsert</c>.</param>
    public int Attempts(string method) => calls.Count(call => call.Method == method);

    /// <summary>As after a power cut: held writes are gone.</summary>
    public void DropHeldWrites()
    {
        foreach (var collection in store.All) collection.DropHeld();
    }

    /// <summary>Closes the port and breaks all connections; what is stored stays.</summary>
    public async Task DownAsync()
    {
        if (app is null) return;
        await app.StopAsync(new CancellationToken(true));
        await app.DisposeAsync();
        app = null;
    }

    /// <summary>Listens, again on the port it had before.</summary>
    public async Task UpAsync()
    {
        if (app is not null) return;
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, Endpoint.Port > 0 ? Endpoint.Port : options.Port > 0 ? options.Port : Ports.Take(), listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                if (options.Certificate is { } certificate) listen.UseHttps(certificate);
            });
        });
        if (options.Certificate is not null) builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = null);
        builder.Services.AddSingleton(methods);
        builder.Services.AddSingleton<IServiceMethodProvider<Serving>, ServingMethods>();
        builder.Services.AddSingleton(new Serving(faults, keys, options.Time, journal));
        var built = builder.Build();
        built.UseRouting();
        built.Use(RecordAsync);
        built.MapGrpcService<Serving>();
        await built.StartAsync();
        app = built;
        Endpoint = new Uri(built.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    public async ValueTask DisposeAsync()
    {
        await DownAsync();
        journal?.Dispose();
    }

    private Task RecordAsync(HttpContext http, RequestDelegate next)
    {
        var path = http.Request.Path.Value ?? "";
        var call = new RecordedCall(path.Replace("/qdrant.", "", StringComparison.Ordinal), http.Request.Headers.ToDictionary(header => header.Key.ToLowerInvariant(), header => header.Value.ToString()));
        if (options.RecordCalls) calls.Enqueue(call);
        http.Items[typeof(RecordedCall)] = call;
        if (keys.Refuse(path, call.Headers) is not { } refusal) return next(http);
        http.Response.ContentType = "application/grpc";
        http.Response.Headers["grpc-status"] = ((int)StatusCode.Unauthenticated).ToString(System.Globalization.CultureInfo.InvariantCulture);
        http.Response.Headers["grpc-message"] = refusal;
        return Task.CompletedTask;
    }
}
