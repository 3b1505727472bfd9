using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.Trainer.Wire;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using WireFile = BeeFormer.Streaming.Trainer.Wire.File;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>What a worker is sent is checked before it is used: each refusal names the field, and the worker goes on.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed class HostileCallTests : IAsyncLifetime
{
    private readonly Guid _session = Guid.NewGuid();
    private LocalWorker _worker = null!;
    private GrpcChannel _channel = null!;
    private EncoderWorker.EncoderWorkerClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _worker = await LocalWorker.StartAsync(new WorkersOptions { MaxModelMb = 1 });
        _channel = GrpcChannel.ForAddress(_worker.Address);
        _client = new EncoderWorker.EncoderWorkerClient(_channel);
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _worker.DisposeAsync();
    }

    private CallOptions Options(long version = 1, string? session = null) => new(
        new Metadata { { "session", session ?? _session.ToString() }, { "version", version.ToString(System.Globalization.CultureInfo.InvariantCulture) } },
        TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(1), TestContext.Current.CancellationToken);

    private static ModelPart FileOf(string path, long bytes) => new() { File = new WireFile { Path = path, Bytes = bytes } };

    private static ModelPart Content(int bytes) => new() { Content = ByteString.CopyFrom(new byte[bytes]) };

    private static ModelPart Good => new() { Opening = new Opening { Protocol = 1, Trainer = "x", Fingerprint = "x" } };

    public static TheoryData<string, string> Joins => new()
    {
        { "no opening", "opening" }, { "protocol", "protocol is 2" }, { "up", "path is '../x'" }, { "absolute", "path is '/x'" }, { "backslash", "path is 'a\\x'" }, { "huge", "bytes of x is" }, { "negative", "bytes of x is" },
        { "more", "content of 5 bytes; expected 4" }, { "less", "2 bytes of a file are missing" }, { "too many", "More than 1000 files" }, { "no encoder", "modules.json" },
    };

    [Theory]
    [MemberData(nameof(Joins))]
    public async Task What_is_no_encoder_is_refused_and_leaves_no_file(string what, string named)
    {
        ModelPart[] parts = what switch
        {
            "no opening" => [Content(1)],
            "protocol" => [new ModelPart { Opening = new Opening { Protocol = 2 } }],
            "up" => [Good, FileOf("../x", 1), Content(1)],
            "absolute" => [Good, FileOf("/x", 1), Content(1)],
            "backslash" => [Good, FileOf("a\\x", 1), Content(1)],
            "huge" => [Good, FileOf("x", 1L << 40)],
            "negative" => [Good, FileOf("x", -1)],
            "more" => [Good, FileOf("x", 4), Content(5)],
            "less" => [Good, FileOf("x", 4), Content(2)],
            "too many" => [Good, .. Enumerable.Range(0, 1001).Select(n => FileOf($"x{n}", 0))],
            _ => [Good, FileOf("x", 0)],
        };
        RpcException refusal = await Assert.ThrowsAsync<RpcException>(() => JoinAsync(parts));
        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
        Assert.Contains(named, refusal.Status.Detail, StringComparison.Ordinal);
        Assert.Empty(_worker.Files);
        Assert.Equal(StatusCode.FailedPrecondition, (await Assert.ThrowsAsync<RpcException>(() => EmbedAsync(new Chunk(), Options()))).StatusCode);
    }

    private async Task<Joined> JoinAsync(params ModelPart[] parts)
    {
        using AsyncClientStreamingCall<ModelPart, Joined> join = _client.Join(Options());
        try
        {
            foreach (ModelPart part in parts) await join.RequestStream.WriteAsync(part, TestContext.Current.CancellationToken);
            await join.RequestStream.CompleteAsync();
        }
        catch (RpcException)
        {
            // The answer says why.
        }
        return await join.ResponseAsync;
    }

    [Fact]
    public async Task Chunks_weights_and_headers_that_cannot_be_are_refused_and_the_next_good_one_is_done()
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        string folder = Directory.CreateTempSubdirectory("beeformer-hostile-").FullName;
        encoder.Save(folder);
        List<ModelPart> parts = [new() { Opening = new Opening { Protocol = 1, Trainer = "x", Fingerprint = encoder.Fingerprint.Value } }];
        await ModelFolder.SendAsync(folder, part =>
        {
            parts.Add(part);
            return Task.CompletedTask;
        }, TestContext.Current.CancellationToken);
        Directory.Delete(folder, recursive: true);

        var other = new Opening { Protocol = 1, Trainer = "x", Fingerprint = new string('0', 64) };
        Assert.Contains("fingerprint", (await Assert.ThrowsAsync<RpcException>(() => JoinAsync([new ModelPart { Opening = other }, .. parts.Skip(1)]))).Status.Detail, StringComparison.Ordinal);
        Joined joined = await JoinAsync([.. parts]);
        byte[][] weights = TensorBytes.Room(joined.WeightBytes);
        TensorBytes.Read(encoder.Parameters.Select(p => p.Value), weights);
        await RefusedAsync(() => SendWeightsAsync(weights.Take(weights.Length - 1)), "bytes in all");
        await RefusedAsync(() => SendWeightsAsync([.. weights, [0]]), "expected 0");
        Assert.Equal(StatusCode.FailedPrecondition, (await Assert.ThrowsAsync<RpcException>(() => EmbedAsync(Chunk([2, 3]), Options()))).StatusCode); // no weights yet
        await SendWeightsAsync(weights);

        int vocabulary = encoder.Info.VocabularySize, longest = encoder.MaxSequenceLength;
        await RefusedAsync(() => EmbedAsync(new Chunk(), Options()), "lengths has 0 texts");
        await RefusedAsync(() => EmbedAsync(Chunk([.. Enumerable.Repeat(1, longest + 1)]), Options()), $"lengths holds {longest + 1}");
        await RefusedAsync(() => EmbedAsync(new Chunk { Lengths = { -1 } }, Options()), "lengths holds -1");
        await RefusedAsync(() => EmbedAsync(new Chunk { Lengths = { Enumerable.Repeat(longest, 4096 / longest + 1) } }, Options()), "padding counted");
        await RefusedAsync(() => EmbedAsync(new Chunk { Lengths = { 2 }, Ids = { 1 } }, Options()), "ids has 1 tokens; expected 2");
        await RefusedAsync(() => EmbedAsync(Chunk([vocabulary]), Options()), $"ids holds {vocabulary}");
        await RefusedAsync(() => EmbedAsync(Chunk([-1]), Options()), "ids holds -1");
        Chunk withGradient = Chunk([2, 3]);
        withGradient.Gradient = ByteString.CopyFrom(new byte[4]);
        await RefusedAsync(() => EmbedAsync(withGradient, Options()), "gradient has 4 bytes; expected 0");
        await RefusedAsync(() => BackAsync(withGradient), $"gradient has 4 bytes; expected {4 * encoder.Dimension}");
        await RefusedAsync(() => EmbedAsync(Chunk([2, 3]), Options(session: "none")), "session");
        await RefusedAsync(() => EmbedAsync(Chunk([2, 3]), Options().WithHeaders(new Metadata { { "session", _session.ToString() } })), "version");
        await RefusedAsync(() => EmbedAsync(Chunk([2, 3]), new CallOptions(Options().Headers)), "deadline");
        Assert.Equal(StatusCode.FailedPrecondition, (await Assert.ThrowsAsync<RpcException>(() => EmbedAsync(Chunk([2, 3]), Options(version: 2)))).StatusCode);
        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(() => EmbedAsync(Chunk([2, 3]), Options(session: Guid.NewGuid().ToString())))).StatusCode);

        Assert.Equal(sizeof(float) * encoder.Dimension, Assert.Single(await EmbedAsync(Chunk([2, 3]), Options())).Content.Length);
        withGradient.Gradient = ByteString.CopyFrom(new byte[sizeof(float) * encoder.Dimension]);
        Assert.Equal(joined.WeightBytes, (await BackAsync(withGradient)).Sum(part => part.Content.Length));
    }

    private static Chunk Chunk(int[] ids) => new() { Lengths = { ids.Length }, Ids = { ids } };

    private static async Task RefusedAsync(Func<Task> call, string named)
    {
        RpcException refusal = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
        Assert.Contains(named, refusal.Status.Detail, StringComparison.Ordinal);
    }

    private async Task SendWeightsAsync(IEnumerable<byte[]> parts)
    {
        using AsyncClientStreamingCall<Part, Taken> take = _client.TakeWeights(Options());
        foreach (byte[] part in parts) await take.RequestStream.WriteAsync(new Part { Content = ByteString.CopyFrom(part) }, TestContext.Current.CancellationToken);
        await take.RequestStream.CompleteAsync();
        await take.ResponseAsync;
    }

    private Task<List<Part>> EmbedAsync(Chunk chunk, CallOptions options) => ExchangeAsync(_client.Embed(options), chunk);

    private Task<List<Part>> BackAsync(Chunk chunk) => ExchangeAsync(_client.BackPropagate(Options()), chunk);

    private static async Task<List<Part>> ExchangeAsync(AsyncDuplexStreamingCall<Chunk, Part> call, Chunk chunk)
    {
        using (call)
        {
            try
            {
                await call.RequestStream.WriteAsync(chunk, TestContext.Current.CancellationToken);
                await call.RequestStream.CompleteAsync();
            }
            catch (RpcException)
            {
                // The answer says why.
            }
            var parts = new List<Part>();
            await foreach (Part part in call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken)) parts.Add(part);
            return parts;
        }
    }
}
