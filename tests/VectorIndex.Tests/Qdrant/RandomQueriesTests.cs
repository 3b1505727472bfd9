using System.Text.Json;
using BeeFormer.Streaming.FakeQdrant;
using Google.Protobuf;
using Grpc.Core;
using Qdrant.Client.Grpc;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>Random filtered queries over random points, with the answers of a real server.</summary>
public sealed class RandomQueriesTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_fake_finds_what_the_recorded_server_found()
    {
        await using var server = await FakeQdrantServer.StartAsync();
        using var wire = new TranscriptWire(server);
        var lines = TranscriptFolder.Lines("random-queries.jsonl").Select(line => JsonDocument.Parse(line).RootElement).ToLookup(line => line.GetProperty("kind").GetString());
        var collection = lines["collection"].Single();
        var name = collection.GetProperty("name").GetString()!;
        await CallAsync("Collections/Create", new CreateCollection
        {
            CollectionName = name,
            VectorsConfig = new VectorsConfig { Params = new VectorParams { Size = collection.GetProperty("size").GetUInt64(), Distance = Enum.Parse<Distance>(collection.GetProperty("distance").GetString()!) } },
        });
        foreach (var batch in lines["point"].Chunk(256))
            await CallAsync("Points/Upsert", new UpsertPoints { CollectionName = name, Wait = true, Points = { batch.Select(Point) } });

        var wrong = new List<string>();
        foreach (var line in lines["query"])
        {
            var query = QueryPoints.Parser.ParseFrom(line.GetProperty("request_b64").GetBytesFromBase64());
            var count = CountResponse.Parser.ParseFrom(await CallAsync("Points/Count", new CountPoints { CollectionName = name, Filter = query.Filter, Exact = true })).Result.Count;
            if (count != line.GetProperty("matching").GetUInt64()) wrong.Add($"{line.GetProperty("n")}: {count} match, not {line.GetProperty("matching")}");
            var found = QueryResponse.Parser.ParseFrom(await CallAsync("Points/Query", query)).Result.Select(hit => (Id: hit.Id.HasUuid ? hit.Id.Uuid : $"{hit.Id.Num}", hit.Score)).ToList();
            var expected = line.GetProperty("expected").EnumerateArray().Select(pair => (Id: pair[0].ToString(), Score: pair[1].GetSingle())).ToList();
            if (!found.Select(hit => hit.Id).SequenceEqual(expected.Select(hit => hit.Id)) || found.Zip(expected).Any(pair => Math.Abs(pair.First.Score - pair.Second.Score) > 1e-5))
                wrong.Add($"{line.GetProperty("n")}: found {string.Join(' ', found)}, not {string.Join(' ', expected)}");
        }
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {lines["query"].Count()}\n{string.Join('\n', wrong)}");
        Assert.NotEmpty(lines["query"]);

        async Task<byte[]> CallAsync(string method, IMessage request)
        {
            var (status, _, answer) = await wire.CallAsync("/qdrant." + method, request.ToByteArray(), [], Token);
            Assert.Equal(StatusCode.OK, status.StatusCode);
            return answer!;
        }
    }

    private static PointStruct Point(JsonElement line)
    {
        var id = line.GetProperty("id");
        var point = new PointStruct
        {
            Id = id.ValueKind == JsonValueKind.Number ? new PointId { Num = id.GetUInt64() } : new PointId { Uuid = id.GetString()! },
            Vectors = new Vectors { Vector = new Vector { Dense = new DenseVector { Data = { line.GetProperty("vector64").EnumerateArray().Select(part => part.GetInt32() / 64f) } } } },
        };
        foreach (var field in line.GetProperty("payload").EnumerateObject()) point.Payload[field.Name] = PayloadValue(field.Value);
        return point;
    }

    private static Value PayloadValue(JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.String: return new Value { StringValue = json.GetString()! };
            case JsonValueKind.True or JsonValueKind.False: return new Value { BoolValue = json.GetBoolean() };
            case JsonValueKind.Number: return json.GetRawText().AsSpan().ContainsAny(".eE") ? new Value { DoubleValue = json.GetDouble() } : new Value { IntegerValue = json.GetInt64() };
            case JsonValueKind.Array: return new Value { ListValue = new ListValue { Values = { json.EnumerateArray().Select(PayloadValue) } } };
            case JsonValueKind.Object:
                var fields = new Struct();
                foreach (var field in json.EnumerateObject()) fields.Fields[field.Name] = PayloadValue(field.Value);
                return new Value { StructValue = fields };
            default: return new Value { NullValue = NullValue.NullValue };
        }
    }
}
