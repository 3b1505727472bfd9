using BeeFormer.Streaming.FakeQdrant;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using Qdrant.Client.Grpc;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>What a real server answered, against the fake and against the client's stubs.</summary>
public sealed class TranscriptTests
{
    /// <summary>What requests may hold and the fake does not speak: the client never sends it. Every other line must be answered as recorded.</summary>
    private static readonly HashSet<string> Unspoken =
    [
        "FieldCondition.is_empty", "FieldCondition.is_null", "FieldCondition.values_count", "Condition.nested", "ScrollPoints.order_by", "Query.order_by", "Query.nearest_with_mmr",
        "rpc /qdrant.Snapshots/Create", "rpc /qdrant.Snapshots/List", "rpc /qdrant.Snapshots/Delete",
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_fake_answers_as_the_recorded_server_did()
    {
        // Time stands still: the recorded calls came within a second.
        var time = new FakeTimeProvider();
        await using var open = await FakeQdrantServer.StartAsync(new() { Time = time });
        await using var locked = await FakeQdrantServer.StartAsync(new() { Time = time, ApiKey = KeyOf("21-auth/right-key"), ReadOnlyApiKey = KeyOf("21-auth/read-key-list") });
        using var toOpen = new TranscriptWire(open);
        using var toLocked = new TranscriptWire(locked);
        using var narrow = new TranscriptWire(open, 4 << 20);
        var wrong = new List<string>();
        HashSet<string> met = [], missed = [];
        foreach (var line in TranscriptLine.All)
        {
            var wire = line.Server is not null ? toLocked : line.Step.EndsWith("-default-client", StringComparison.Ordinal) ? narrow : toOpen;
            var headers = new Metadata();
            foreach (var header in line.Metadata ?? []) headers.Add(header[0], header[1]);
            var (status, trailers, answer) = await wire.CallAsync(line.Method, line.RequestB64 ?? Blobs(line.Step), headers, Token);
            var difference = Difference(line, status, trailers, answer);
            var unspoken = (line.OutsideSubset ?? []).Where(Unspoken.Contains).ToList();
            met.UnionWith(unspoken);
            if (difference is null) continue;
            missed.UnionWith(unspoken);
            if (unspoken.Count == 0) wrong.Add($"{line.Step}: {difference}");
        }
        wrong.AddRange(met.Except(missed).Select(name => $"{name} is answered as recorded, yet listed as unspoken"));
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {TranscriptLine.All.Count}\n{string.Join('\n', wrong)}");
    }

    [Fact]
    public void The_client_decodes_what_the_recorded_server_sent()
    {
        var decoded = 0;
        foreach (var line in TranscriptLine.All)
        {
            if (line.ResponseB64 is not { } bytes || TranscriptMessages.Json(line.Method, bytes) is not { } json) continue;
            var comparison = new TranscriptComparison(Names(line.ResponseOutsideSubset, "time"), new HashSet<string>(), false, 0);
            Assert.True(comparison.Difference(line.Response, json) is not { } difference, $"{line.Step}: {comparison.Difference(line.Response, json)}");
            decoded++;
        }
        Assert.True(decoded > 0);
    }

    private static string? Difference(TranscriptLine line, Status status, Metadata trailers, byte[]? answer)
    {
        if (!line.Status.Replace("_", "", StringComparison.Ordinal).Equals(status.StatusCode.ToString(), StringComparison.OrdinalIgnoreCase)) return $"{status}, not {line.Status} {line.Message}";
        if (line.Message is { } message && !SameText(message, status.Detail) && !TextMayDiffer(line)) return $"{status}, not {message}";
        foreach (var trailer in line.Trailers?.Where(pair => pair[0] == "retry-after") ?? [])
            if (trailers.GetValue(trailer[0]) != trailer[1]) return $"trailer {trailer[0]} is {trailers.GetValue(trailer[0])}, not {trailer[1]}";
        if (answer is null || line.Response is null || line.Approximate) return null;
        var comparison = new TranscriptComparison(Names([.. line.Volatile ?? [], .. line.ResponseOutsideSubset ?? []], "time"), (line.Unordered ?? []).ToHashSet(), line.Ties, 1e-5);
        return comparison.Difference(line.Response, TranscriptMessages.Json(line.Method, answer));
    }

    /// <summary>Text of the client, or of the library beneath the server.</summary>
    private static bool TextMayDiffer(TranscriptLine line) =>
        line.Status == "UNIMPLEMENTED" || line.Step.EndsWith("-default-client", StringComparison.Ordinal) || line.Volatile?.Contains("message") == true;

    /// <summary>What is wrong with bytes that are no message, each library says in its own words.</summary>
    private static bool SameText(string recorded, string text) =>
        recorded == text || new[] { recorded, text }.All(one => one.StartsWith("failed to decode Protobuf message: ", StringComparison.Ordinal));

    private static HashSet<string> Names(string[]? names, string more) => [.. (names ?? []).Select(name => name[(name.LastIndexOf('.') + 1)..]), more];

    private static TranscriptLine Line(string step) => TranscriptLine.All.Single(line => line.Step == step);

    private static string KeyOf(string step) => Line(step).Metadata!.Single(header => header[0] == "api-key")[1];

    /// <summary>The requests that are too large to record: points of 5 MiB, which a later line deletes.</summary>
    private static byte[] Blobs(string step)
    {
        var small = Line("18-sizes/get-5MiB-default-client").RequestB64!;
        if (step == "18-sizes/get-5MiB") return small;
        var get = GetPoints.Parser.ParseFrom(small);
        var all = DeletePoints.Parser.ParseFrom(Line("18-sizes/delete-blobs").RequestB64).Points.Points.Ids;
        var ids = step == "18-sizes/upsert-5MiB-payload" ? get.Ids : step == "18-sizes/upsert-40MiB" ? all.Except(get.Ids) : throw new InvalidOperationException($"No bytes for {step}.");
        var created = TranscriptLine.All.Where(line => line.Method.EndsWith("/Create", StringComparison.Ordinal) && line.RequestB64 is not null)
            .Select(line => CreateCollection.Parser.ParseFrom(line.RequestB64)).Last(request => request.CollectionName == get.CollectionName);
        var vector = new DenseVector { Data = { Enumerable.Repeat(1f, (int)created.VectorsConfig.Params.Size) } };
        var points = ids.Select(id => new PointStruct
        {
            Id = id,
            Payload = { ["blob"] = new Value { StringValue = new string('x', 5 << 20) } },
            Vectors = new Vectors { Vector = new Vector { Dense = vector } },
        });
        return new UpsertPoints { CollectionName = get.CollectionName, Wait = true, Points = { points } }.ToByteArray();
    }
}
