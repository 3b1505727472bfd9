using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using BeeFormer.Streaming.FakeQdrant;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Time.Testing;
using Qdrant.Client.Grpc;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>What tests rely on beside the answers: that the fake fails when it is told to, and only then.</summary>
public sealed class FakeQdrantTests : IAsyncLifetime
{
    private const string Name = "items";
    private readonly FakeTimeProvider time = new();
    private FakeQdrantServer server = null!;
    private GrpcChannel channel = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;
    private Points.PointsClient Points => new(channel);
    private Collections.CollectionsClient Collections => new(channel);

    public async ValueTask InitializeAsync()
    {
        server = await FakeQdrantServer.StartAsync(new() { Time = time });
        channel = GrpcChannel.ForAddress(server.Endpoint);
        await CreateAsync(Collections);
    }

    public async ValueTask DisposeAsync()
    {
        channel.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task With_a_journal_what_was_acknowledged_is_there_again_and_a_write_that_was_cut_off_is_not()
    {
        string file = Path.Combine(Directory.CreateTempSubdirectory("beeformer-journal-").FullName, "journal");
        ulong written = 0;
        for (int run = 0; run < 3; run++)
        {
            await using var journaled = await FakeQdrantServer.StartAsync(new() { Time = time, Journal = file });
            using var its = GrpcChannel.ForAddress(journaled.Endpoint);
            if (run == 0) await CreateAsync(new Collections.CollectionsClient(its));
            Assert.Equal(written, await CountAsync(new Points.PointsClient(its)));
            if (run == 2) break;
            await UpsertAsync(++written, client: new Points.PointsClient(its));
            await journaled.DisposeAsync();
            await File.AppendAllBytesAsync(file, [20, (byte)'/', (byte)'q'], Token);
        }
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }

    [Fact]
    public async Task A_fault_meets_so_many_calls_of_its_method_and_then_no_more()
    {
        var fault = server.Inject(new() { Method = "Points/Upsert", Times = 2, Status = StatusCode.ResourceExhausted, RetryAfterSeconds = 7 });
        for (var i = 0; i < 2; i++)
        {
            var refused = await Assert.ThrowsAsync<RpcException>(() => UpsertAsync(1));
            Assert.Equal((StatusCode.ResourceExhausted, "7"), (refused.StatusCode, refused.Trailers.GetValue("retry-after")));
            Assert.Equal(0ul, await CountAsync());
        }
        await UpsertAsync(1);
        Assert.Equal((2, 3, 1ul), (fault.Met, server.Attempts("Points/Upsert"), await CountAsync()));
    }

    [Fact]
    public async Task A_fault_lasts_while_its_condition_holds_or_until_it_is_healed()
    {
        var broken = true;
        var fault = server.Inject(new() { When = _ => broken, Status = StatusCode.Unavailable });
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(CountAsync)).StatusCode);
        broken = false;
        await CountAsync();
        broken = true;
        await Assert.ThrowsAsync<RpcException>(CountAsync);
        server.Heal(fault);
        await CountAsync();
    }

    [Fact]
    public async Task A_call_can_take_effect_and_lose_its_answer()
    {
        server.Inject(new() { Method = "Points/Upsert", Times = 1, Status = StatusCode.Unavailable, AfterApplying = true });
        await Assert.ThrowsAsync<RpcException>(() => UpsertAsync(1));
        Assert.Equal(1ul, await CountAsync());
    }

    [Fact]
    public async Task A_write_can_be_acknowledged_and_lost()
    {
        server.Inject(new() { Method = "Points/Upsert", Times = 1, LoseWrites = true });
        Assert.Equal(UpdateStatus.Completed, (await UpsertAsync(1)).Result.Status);
        Assert.Equal(0ul, await CountAsync());
    }

    [Fact]
    public async Task A_write_can_outlast_the_time_that_it_is_waited_for()
    {
        server.HoldUnwaitedWrites = true;
        server.Inject(new() { Method = "Points/Upsert", Times = 1, WaitTimesOut = true });
        Assert.Equal(UpdateStatus.WaitTimeout, (await UpsertAsync(1)).Result.Status);
        Assert.Equal(0ul, await CountAsync());
        await UpsertAsync(2);
        Assert.Equal(2ul, await CountAsync());
    }

    [Fact]
    public async Task A_delayed_call_answers_when_its_time_has_come()
    {
        var fault = server.Inject(new() { Method = "Points/Count", Delay = TimeSpan.FromMinutes(1) });
        var count = CountAsync();
        await UntilAsync(() => fault.Met == 1);
        Assert.False(count.IsCompleted);
        await UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromMinutes(1));
            return count.IsCompleted;
        });
        Assert.Equal(0ul, await count);
    }

    [Fact]
    public async Task Down_refuses_connections_and_up_again_has_the_same_port_and_points()
    {
        await UpsertAsync(1);
        var endpoint = server.Endpoint;
        await server.DownAsync();
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(CountAsync)).StatusCode);
        await server.UpAsync();
        Assert.Equal(endpoint, server.Endpoint);
        using var again = GrpcChannel.ForAddress(endpoint);
        Assert.Equal(1ul, (await new Points.PointsClient(again).CountAsync(new() { CollectionName = Name }, cancellationToken: Token)).Result.Count);
    }

    [Fact]
    public async Task Held_writes_are_applied_with_the_next_one_that_is_waited_for()
    {
        server.HoldUnwaitedWrites = true;
        Assert.Equal(UpdateStatus.Acknowledged, (await UpsertAsync(1, wait: false)).Result.Status);
        Assert.Equal((0ul, 1ul), (await CountAsync(), (await Collections.GetAsync(new() { CollectionName = Name }, cancellationToken: Token)).Result.UpdateQueue.Length));
        await UpsertAsync(2);
        Assert.Equal(2ul, await CountAsync());

        await UpsertAsync(3, wait: false);
        server.DropHeldWrites();
        await UpsertAsync(4);
        Assert.Equal(3ul, await CountAsync());
    }

    [Fact]
    public async Task Calls_are_recorded_with_headers_and_request()
    {
        await UpsertAsync(77);
        var call = server.Calls.Single(call => call.Method == "Points/Upsert");
        Assert.Equal("application/grpc", call.Headers["content-type"]);
        Assert.Equal(77ul, UpsertPoints.Parser.ParseFrom(call.Request.Span).Points.Single().Id.Num);
    }

    [Fact]
    public async Task A_collection_reports_what_it_is_told_to()
    {
        server.Report = info => info.Status = FakeQdrant.Wire.CollectionStatus.Yellow;
        Assert.Equal(CollectionStatus.Yellow, (await Collections.GetAsync(new() { CollectionName = Name }, cancellationToken: Token)).Result.Status);
    }

    [Fact]
    public async Task An_older_server_ignores_what_it_does_not_know()
    {
        await using var old = await FakeQdrantServer.StartAsync(new() { Version = new(1, 15, 3) });
        using var toOld = GrpcChannel.ForAddress(old.Endpoint);
        var points = new Points.PointsClient(toOld);
        await CreateAsync(new(toOld));
        Assert.Equal("1.15.3", (await new global::Qdrant.Client.Grpc.Qdrant.QdrantClient(toOld).HealthCheckAsync(new(), cancellationToken: Token)).Version);
        foreach (var x in new[] { 1f, 2f })
        {
            var request = new UpsertPoints { CollectionName = Name, Wait = true, Points = { APoint(1, x) } };
            request.UpdateFilter = new Filter { Must = { new Condition { HasId = new HasIdCondition() } } };
            await points.UpsertAsync(request, cancellationToken: Token);
        }
        var stored = (await points.GetAsync(new() { CollectionName = Name, Ids = { new PointId { Num = 1 } }, WithVectors = new() { Enable = true } }, cancellationToken: Token)).Result.Single();
#pragma warning disable CS0612 // Servers before 1.17 answer this field.
        Assert.Equal([2f, 1f], stored.Vectors.Vector.Data);
#pragma warning restore CS0612
    }

    [Fact]
    public async Task It_speaks_TLS_with_a_given_certificate()
    {
        using var key = RSA.Create(2048);
        using var bare = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        using var certificate = X509CertificateLoader.LoadPkcs12(bare.Export(X509ContentType.Pkcs12), null);
        await using var secure = await FakeQdrantServer.StartAsync(new() { Certificate = certificate });
        Assert.Equal("https", secure.Endpoint.Scheme);
        using var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown!.GetCertHashString() == certificate.GetCertHashString() } };
        using var toSecure = GrpcChannel.ForAddress(secure.Endpoint, new GrpcChannelOptions { HttpHandler = handler });
        Assert.Empty((await new Collections.CollectionsClient(toSecure).ListAsync(new(), cancellationToken: Token)).Collections);
    }

    [Fact]
    public async Task Writers_and_readers_at_once_see_whole_requests()
    {
        var writers = Enumerable.Range(0, 4).Select(async writer =>
        {
            for (var i = 0; i < 50; i++)
                await Points.UpsertAsync(new() { CollectionName = Name, Wait = true, Points = { Enumerable.Range(0, 10).Select(j => APoint((ulong)(writer * 500 + i * 10 + j), 1)) } }, cancellationToken: Token);
        }).ToList();
        while (!writers.TrueForAll(writer => writer.IsCompleted)) Assert.Equal(0ul, await CountAsync() % 10);
        await Task.WhenAll(writers);
        Assert.Equal(2000ul, await CountAsync());
    }

    [Fact]
    public async Task As_a_process_it_says_where_it_listens_and_ends_on_SIGTERM()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? Environment.ProcessPath : "dotnet") { RedirectStandardOutput = true };
        foreach (var argument in new[] { Path.Combine(AppContext.BaseDirectory, "BeeFormer.Streaming.FakeQdrant.dll"), "--api-key", "k" }) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        try
        {
            var line = await process.StandardOutput.ReadLineAsync(Token);
            using var toProcess = GrpcChannel.ForAddress(line!);
            var collections = new Collections.CollectionsClient(toProcess);
            Assert.Equal(StatusCode.Unauthenticated, (await Assert.ThrowsAsync<RpcException>(async () => await collections.ListAsync(new(), cancellationToken: Token))).StatusCode);
            await collections.ListAsync(new(), new Metadata { { "api-key", "k" } }, cancellationToken: Token);
            using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
            await process.WaitForExitAsync(Token);
            Assert.Equal(0, process.ExitCode);
        }
        finally { process.Kill(); }
    }

    private static async Task CreateAsync(Collections.CollectionsClient collections) => await collections.CreateAsync(
        new() { CollectionName = Name, VectorsConfig = new() { Params = new() { Size = 2, Distance = Distance.Dot } } }, cancellationToken: Token);

    private static PointStruct APoint(ulong id, float x) => new() { Id = new() { Num = id }, Vectors = new() { Vector = new() { Dense = new() { Data = { x, 1 } } } } };

    private async Task<PointsOperationResponse> UpsertAsync(ulong id, bool wait = true, Points.PointsClient? client = null) =>
        await (client ?? Points).UpsertAsync(new() { CollectionName = Name, Wait = wait, Points = { APoint(id, 1) } }, cancellationToken: Token);

    private async Task<ulong> CountAsync() => await CountAsync(Points);

    private static async Task<ulong> CountAsync(Points.PointsClient points) => (await points.CountAsync(new() { CollectionName = Name }, cancellationToken: Token)).Result.Count;

    private static async Task UntilAsync(Func<bool> holds)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!holds()) await pause.WaitForNextTickAsync(Token);
    }
}
