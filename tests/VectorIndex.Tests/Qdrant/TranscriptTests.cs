using BeeFormer.Streaming.FakeQdrant;
using Google.Protobuf;
using Grpc.Core;
using Qdrant.Client.Grpc;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>What a real server answered, against the fake and against the client's stubs.</summary>
public sealed class TranscriptTests
{
    /// <summary>Steps that the fake answers in another way, and why.</summary>
    private static readonly Dictionary<string, string> Different = new()
    {
    };

    /// <summary>Of a request, outside of what the fake speaks: such lines are left out.</summary>
    private static readonly HashSet<string> Unspoken =
    [
        "FieldCondition.is_empty", "FieldCondition.is_null", "FieldCondition.values_count", "Condition.nested", "ScrollPoints.order_by", "Query.order_by", "Query.nearest_with_mmr",
        "rpc /qdrant.Snapshots/Create", "rpc /qdrant.Snapshots/List", "rpc /qdrant.Snapshots/Delete",
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_fake_answers_as_the_recorded_server_did()
    {
        await using var open = await FakeQdrantServer.StartAsync();
        await using var locked = await FakeQdrantServer.StartAsync(new() { ApiKey = "golden-key", ReadOnlyApiKey = "golden-read-key" });
        using var toOpen = new TranscriptWire(open);
        using var toLocked = new TranscriptWire(locked);
        using var narrow = new TranscriptWire(open, 4 << 20);
        var wrong = new List<string>();
        foreach (var line in TranscriptLine.All.Where(line => line.OutsideSubset?.Any(Unspoken.Contains) != true))
        {
            var wire = line.Server is not null ? toLocked : line.Step.EndsWith("-default-client", StringComparison.Ordinal) ? narrow : toOpen;
            var headers = new Metadata();
            foreach (var header in line.Metadata ?? []) headers.Add(header[0], header[1]);
            var (status, trailers, answer) = await wire.CallAsync(line.Method, line.RequestB64 ?? Blobs(line.Step), headers, Token);
            var difference = Difference(line, status, trailers, answer);
            if (Different.ContainsKey(line.Step) ? difference is null : difference is not null)
                wrong.Add($"{line.Step}: {difference ?? $"answered as recorded, yet listed: {Different[line.Step]}"}");
        }
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
        foreach (var trailer in line.Trailers?.Where(pair => pair[0] == "retry-after") ?? [])
            if (trailers.GetValue(trailer[0]) != trailer[1]) return $"trailer {trailer[0]} is {trailers.GetValue(trailer[0])}, not {trailer[1]}";
        if (answer is null || line.Response is null || line.Approximate) return null;
        var comparison = new TranscriptComparison(Names([.. line.Volatile ?? [], .. line.ResponseOutsideSubset ?? []], "time"), (line.Unordered ?? []).ToHashSet(), line.Ties, 1e-5);
        return comparison.Difference(line.Response, TranscriptMessages.Json(line.Method, answer));
    }

    private static HashSet<string> Names(string[]? names, string more) => [.. (names ?? []).Select(name => name[(name.LastIndexOf('.') + 1)..]), more];

    /// <summary>The requests that are too large to record.</summary>
    private static byte[] Blobs(string step)
    {
        var small = TranscriptLine.All.First(line => line.Step == "18-sizes/get-5MiB-default-client");
        var get = GetPoints.Parser.ParseFrom(small.RequestB64);
        if (step == "18-sizes/get-5MiB") return small.RequestB64!;
        var upsert = new UpsertPoints { CollectionName = get.CollectionName, Wait = true };
        ulong[] ids = step == "18-sizes/upsert-5MiB-payload" ? [get.Ids[0].Num] : step == "18-sizes/upsert-40MiB" ? [60, 61, 62, 63, 64, 65, 66, 67] : throw new InvalidOperationException($"No bytes for {step}.");
        foreach (var id in ids)
            upsert.Points.Add(new PointStruct
            {
                Id = new PointId { Num = id },
                Payload = { ["blob"] = new Value { StringValue = new string('x', 5 << 20) } },
                Vectors = new Vectors { Vector = new Vector { Dense = new DenseVector { Data = { 1, 0, 0, 0 } } } },
            });
        return upsert.ToByteArray();
    }
}
