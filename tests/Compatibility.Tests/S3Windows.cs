using System.Text.Json.Nodes;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Servers;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Configuration;

namespace BeeFormer.Streaming.Compatibility.Tests;

/// <summary>A window store on an S3 server of the test's own, and what lies there as bytes.</summary>
internal sealed class S3Windows : IAsyncDisposable
{
    private readonly S3Server _server;
    private readonly AmazonS3Client _client;

    private S3Windows(S3Server server)
    {
        _server = server;
        _client = new AmazonS3Client(new BasicAWSCredentials(S3Server.AccessKey, S3Server.SecretKey), new AmazonS3Config
        {
            ServiceURL = $"http://127.0.0.1:{server.Port}", ForcePathStyle = true, AuthenticationRegion = "us-east-1", RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED, ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        });
        Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", S3Server.AccessKey); // where the store's client looks
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", S3Server.SecretKey);
    }

    public static async Task<S3Windows> StartAsync(string folder, CancellationToken cancellationToken)
    {
        var server = new S3Server(folder);
        await server.StartAsync(cancellationToken);
        return new S3Windows(server);
    }

    /// <param name="copies">Folder for copies of objects.</param>
    public ParquetWindowStore Open(string copies) => new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
    {
        ["Storage:Uri"] = $"s3://{S3Server.Bucket}/windows", ["Storage:S3:ServiceUrl"] = $"http://127.0.0.1:{_server.Port}", ["Storage:S3:ForcePathStyle"] = "true",
    }).Build().OpenWindowStore(copies);

    /// <summary>Two partitions of interactions, items of which one was deleted, and an erased user.</summary>
    public static void Fill(IWindowStore windows)
    {
        for (int partition = 0; partition < 2; partition++)
            for (long first = 0; first < 40; first += 20)
                windows.TryWriteInteractions(partition, first, first + 19, [.. Enumerable.Range((int)first, 20).Select(n => new StoredInteraction(
                    n, $"interactions/{partition}/{n}", new UserId(n % 7 == 0 ? SmallShop.Erased : $"user-{n % 6:D2}"), new ItemId($"item-{n * 3 % 11:D2}"), n % 2 == 0 ? "purchase" : "view", n % 5 == 0 ? n : null, 1_772_323_200_000 + n * 60_000, n % 3 == 0 ? "session" : null))]);
        windows.TryWriteItems(0, 0, 11, [.. Enumerable.Range(0, 12).Select(n => new StoredItem(0, n, new ItemId($"item-{n % 11:D2}"), n == 11 ? null : new ItemEvent(new ItemId($"item-{n:D2}"), $"thing № {n}", null, new Dictionary<string, System.Text.Json.JsonElement>(), null, n != 3, 1_772_323_200_000 + n)))]);
        windows.Erase(new UserId(SmallShop.Erased), 1_772_323_200_000 + 3_600_000);
    }

    /// <summary>Every object with its metadata, of which the store's own begin with <c>x-amz-meta-</c>.</summary>
    public async Task<List<JsonObject>> DumpAsync(CancellationToken cancellationToken)
    {
        List<JsonObject> dump = [];
        foreach (string key in (await _client.ListObjectsV2Async(new() { BucketName = S3Server.Bucket }, cancellationToken)).S3Objects.Select(one => one.Key))
        {
            using var answer = await _client.GetObjectAsync(S3Server.Bucket, key, cancellationToken);
            using var bytes = new MemoryStream();
            await answer.ResponseStream.CopyToAsync(bytes, cancellationToken);
            dump.Add(new JsonObject
            {
                ["key"] = key, ["metadata"] = new JsonObject(answer.Metadata.Keys.Order(StringComparer.Ordinal).Select(name => KeyValuePair.Create(name, (JsonNode?)answer.Metadata[name]))), ["value"] = Convert.ToBase64String(bytes.ToArray()),
            });
        }
        return dump;
    }

    public async Task RestoreAsync(IEnumerable<JsonObject> dump, CancellationToken cancellationToken)
    {
        foreach (JsonObject one in dump)
        {
            var put = new PutObjectRequest { BucketName = S3Server.Bucket, Key = (string)one["key"]!, InputStream = new MemoryStream(Convert.FromBase64String((string)one["value"]!)), UseChunkEncoding = false };
            foreach (var (name, value) in one["metadata"]!.AsObject()) put.Metadata[name] = (string)value!;
            await _client.PutObjectAsync(put, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }
}
