using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.Profiles;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Compatibility.Tests;

/// <summary>What a data folder holds, as the parts' public sides tell it.</summary>
internal static class Contents
{
    private static readonly string[] s_topics = [Topics.Interactions, Topics.Items, Topics.DeadLetters];
    private static readonly IConfiguration s_nothing = new ConfigurationBuilder().Build();

    public static async Task<JsonObject> OfAsync(string data, CancellationToken cancellationToken) => new()
    {
        ["windows"] = Windows(new ParquetWindowStore(Path.Combine(data, "windows"))),
        ["profiles"] = await ProfilesAsync(data, cancellationToken),
        ["models"] = Models(data),
        ["trainings"] = new JsonArray([.. new FolderTrainingRecords(ModelStoreServices.TrainingsIn(Path.Combine(data, "models"))).List().Select(Training)]),
        ["index"] = await IndexAsync(data, cancellationToken),
    };

    /// <summary>Every message of every topic, as its bytes.</summary>
    public static async Task<List<(string Topic, LogMessage Message)>> LogAsync(string data, CancellationToken cancellationToken)
    {
        await using ServiceProvider services = new ServiceCollection().AddLogging().AddEmbeddedEventLog(Path.Combine(data, "log")).BuildServiceProvider();
        var log = services.GetRequiredService<IEventLog>();
        List<(string, LogMessage)> messages = [];
        foreach (string topic in s_topics)
        {
            long end = await log.EndOffsetAsync(topic, 0, cancellationToken);
            await using var reading = log.Subscribe(topic, "compatibility", _ => 0);
            for (long next = 0; next < end;)
            {
                LogBatch batch = await reading.ReadAsync(1_000, cancellationToken); // not disposed: its memory stays ours
                messages.AddRange(batch.Select(message => (topic, message)));
                next = batch.NextOffset;
            }
        }
        return messages;
    }

    public static JsonObject Line(string topic, LogMessage message) => new()
    {
        ["topic"] = topic, ["partition"] = message.Partition, ["offset"] = message.Offset, ["timestamp"] = message.TimestampMs,
        ["key"] = Convert.ToBase64String(message.Key.Span), ["value"] = message.Value is { } value ? Convert.ToBase64String(value.Span) : null,
        ["headers"] = new JsonArray([.. (message.Headers ?? []).Select(header => (JsonNode)new JsonObject { ["name"] = header.Name, ["value"] = Convert.ToBase64String(header.Value.Span) })]),
    };

    public static JsonObject Windows(IWindowStore windows)
    {
        InteractionWindow all = windows.Read(new WindowQuery()), newest = windows.Read(new WindowQuery { LastN = 50, HalfLife = TimeSpan.FromDays(2), MinUsersPerItem = 2 });
        WindowSummary summary = windows.Describe();
        return new JsonObject
        {
            ["hash"] = all.ContentHash, ["interactions"] = all.Count, ["as_of"] = Offsets(all.AsOf), ["items_as_of"] = Offsets(windows.NextOffsets(Topics.Items)),
            ["weights"] = all.Weight.Sum(weight => (double)weight), ["newest_hash"] = newest.ContentHash, ["stored"] = summary.Interactions, ["users"] = summary.Users,
            ["catalogue"] = new JsonArray([.. windows.ReadCatalogue().Select(item => (JsonNode)$"{item.Offset} {item.Id} {item.Event!.Title} {item.Event.Available} {JsonSerializer.Serialize(item.Event.Attributes)} {item.Event.Description} {item.Event.ImageUrl} {item.Event.UpdatedAtMs}")]),
            ["erasures"] = new JsonArray([.. windows.Erasures().Select(erasure => (JsonNode)$"{erasure.User} {erasure.AtMs} {erasure.Done} {erasure.Rows?.Count}")]),
            ["is_erased"] = windows.IsErased(new UserId(SmallShop.Erased), 0) && !windows.IsErased(new UserId(SmallShop.Shopper), 0),
        };
    }

    public static async Task<JsonObject> OfUsersAsync(IProfiles profiles, CancellationToken cancellationToken)
    {
        var users = new JsonObject();
        foreach (string user in Enumerable.Range(0, 24).Select(n => $"user-{n:D2}").Append(SmallShop.Erased))
            users[user] = new JsonArray([.. (await profiles.GetAsync(new UserId(user), cancellationToken)).Select(one => (JsonNode)$"{one.EventId} {one.Item} {one.Type} {one.Value} {one.TimestampMs}")]);
        return users;
    }

    private static async Task<JsonObject> ProfilesAsync(string data, CancellationToken cancellationToken)
    {
        await using ServiceProvider services = new ServiceCollection().AddEmbeddedProfiles(Path.Combine(data, "profiles")).BuildServiceProvider();
        var profiles = services.GetRequiredService<IProfiles>();
        JsonObject users = await OfUsersAsync(profiles, cancellationToken);
        users["next"] = profiles.NextOffset(0);
        return users;
    }

    private static JsonObject Models(string data)
    {
        var models = new FolderModelStore(Path.Combine(data, "models"), TimeProvider.System);
        return new JsonObject
        {
            ["live"] = models.Live?.Value, ["previous"] = models.Previous?.Value, ["damaged"] = models.Damaged().Count,
            ["versions"] = new JsonArray([.. models.List().Select(manifest => (JsonNode)new JsonObject
            {
                ["version"] = manifest.Version.Value, ["published_at"] = manifest.PublishedAt.ToString("O"), ["fingerprint"] = manifest.Model.Fingerprint.Value, ["dimension"] = manifest.Model.Dimension,
                ["parent"] = manifest.Model.Parent?.Value, ["window"] = manifest.Model.WindowHash, ["as_of"] = Offsets(manifest.Model.WindowAsOf), ["decision"] = manifest.Model.Decision,
                ["hyper_parameters"] = manifest.Model.HyperParameters.DeepClone(), ["metrics"] = Hash(manifest.Model.Metrics), ["files"] = manifest.Files?.Count, ["untrained"] = manifest.IsUntrained,
                ["problem"] = models.Problem(manifest.Version), ["erasures"] = new JsonArray([.. models.Erasures(manifest.Version).Select(mark => (JsonNode)$"{mark.At:O} {mark.Rows} {mark.InheritedFrom}")]),
            })]),
            ["refusals"] = new JsonArray([.. models.Refusals().Select(refusal => (JsonNode)$"{refusal.At:O} {refusal.Incumbent} {refusal.WindowHash} {refusal.Decision} {Hash(refusal.Metrics)}")]),
        };
    }

    private static JsonNode Training(TrainingRecord record) => new JsonObject
    {
        ["id"] = record.Id, ["tempo"] = record.Tempo, ["reason"] = record.Reason, ["state"] = record.State.ToString(), ["requested_at"] = record.RequestedAt.ToString("O"), ["ended_at"] = record.EndedAt?.ToString("O"),
        ["version"] = record.Version?.Value, ["decision"] = record.Decision, ["loss"] = record.Loss, ["losses"] = record.Losses?.Count, ["metrics"] = record.Metrics is { } metrics ? Hash(metrics) : null,
    };

    private static async Task<JsonObject> IndexAsync(string data, CancellationToken cancellationToken)
    {
        await using ServiceProvider services = new ServiceCollection().AddVectorIndex(s_nothing, Path.Combine(data, "index")).BuildServiceProvider();
        var index = services.GetRequiredService<IVectorIndex>();
        AliasTarget alias = (await index.ResolveAliasAsync("items", cancellationToken))!;
        CollectionInfo live = (await index.FindAsync(alias.Collection, cancellationToken))!;
        IReadOnlyList<IndexedItem> items = await index.FetchAsync(live.Name, [.. Enumerable.Range(0, 41).Select(n => new ItemId($"item-{n:D2}"))], cancellationToken);
        var hits = new JsonObject();
        foreach (IndexedItem item in items.Where((_, n) => n % 10 == 0))
            hits[item.Id.Value] = new JsonArray([.. (await index.SearchAsync(live.Name, new QueryVector(live.Fingerprint, item.Vector), 5, ItemFilter.None, cancellationToken)).Select(hit => (JsonNode)$"{hit.Id} {hit.Score:F4} {hit.Title}")]);
        return new JsonObject
        {
            ["alias"] = alias.Collection, ["generation"] = alias.Generation, ["count"] = await index.CountAsync(live.Name, ItemFilter.None, cancellationToken),
            ["collections"] = new JsonArray([.. (await index.ListAsync(cancellationToken)).Select(one => (JsonNode)one.ToString())]), ["hits"] = hits,
            ["items"] = new JsonArray([.. items.Select(item => (JsonNode)$"{item.Id} {item.Revision} {item.Title} {item.Available} {JsonSerializer.Serialize(item.Attributes)} {Hash(item.Vector)}")]),
        };
    }

    private static JsonObject Offsets(IReadOnlyDictionary<int, long> offsets) => new(offsets.OrderBy(offset => offset.Key).Select(offset => KeyValuePair.Create(offset.Key.ToString(), (JsonNode?)offset.Value)));

    private static string Hash(JsonNode json) => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(json)))[..16];

    private static string Hash(float[] vector) => Convert.ToHexStringLower(SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(vector)))[..16];
}
