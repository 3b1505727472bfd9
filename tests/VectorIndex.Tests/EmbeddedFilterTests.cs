using System.Text.Json;
using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex.Embedded;
using FsCheck.Xunit;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>Random filters over random attributes, in columns on disk, columns in memory and rows without columns: the answer is that of <see cref="ItemCondition.Admits"/>.</summary>
public sealed class EmbeddedFilterTests
{
    private static readonly Fingerprint Model = new(new string('a', 64));
    private static readonly string[] Names = ["brand", "sizes", "preis €", ""];
    private static readonly string[] Texts = ["", "x", "X", "xy", "größe", "5", "true", "2024-05-01", "2024-05-01T12:00:00+02:00", "2024-05-01T10:00:00Z", "2024-05-01T10:00:00.5", new string('z', 300)];
    private static readonly double[] Numbers = [0, -0.0, 5, 5.5, -3, 1e300, double.Epsilon];
    private static readonly DateTimeOffset[] Times = [new(2024, 5, 1, 0, 0, 0, TimeSpan.Zero), new(2024, 5, 1, 12, 0, 0, TimeSpan.FromHours(2)), new(2024, 5, 1, 10, 0, 0, 500, TimeSpan.Zero), new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero)];

    [Property(MaxTest = 25, Replay = "(9,1)")]
    public void Columns_admit_what_the_definition_admits(int seed) => Run(seed).GetAwaiter().GetResult();

    private static async Task Run(int seed)
    {
        var random = new Random(seed);
        string folder = Directory.CreateTempSubdirectory("vector-index-").FullName;
        try
        {
            var plan = new StoragePlan(random.Next(2) * 300, RecentRows: 640, MaxSegments: 2, MinListedRows: 200, Background: false);
            var index = new EmbeddedVectorIndex(folder, plan);
            await index.CreateAsync(new CollectionInfo("c", 4, Model, new ModelVersion("000001-aaaaaaaa")), default);
            int count = random.Next(1, 1500);
            IndexedItem[] items = [.. Enumerable.Range(0, count).Select(n => new IndexedItem(new ItemId($"i{n}"), 1, SearchVectors.Any(random, 4), "t", random.Next(5) > 0, Attributes(random)))];
            foreach (var some in items.Chunk(random.Next(1, 300))) await index.UpsertAsync("c", some, default);
            if (random.Next(2) == 0) index.Get("c").Tidy();
            if (random.Next(2) == 0)
            {
                index.Dispose();
                index = new EmbeddedVectorIndex(folder, plan);
            }
            for (int n = 0; n < 40; n++)
            {
                var filter = Filter(random, 0, count);
                var admitted = items.Where(filter.Admits).ToList();
                Assert.Equal(admitted.Count, await index.CountAsync("c", filter, default));
                var found = (await index.SearchAsync("c", [new SearchQuery(new QueryVector(Model, SearchVectors.Any(random, 4)), count, filter, Exact: true)], default))[0];
                Assert.Equal(admitted.Where(item => item.Available).Select(item => item.Id).Order(), found.Select(item => item.Id).Order());
                Assert.Equal(admitted.Select(item => item.Id).Order().Take(7), (await index.ScrollAsync("c", filter, null, 7, default)).Select(item => item.Id));
            }
            index.Dispose();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Dictionary<string, JsonElement> Attributes(Random random)
    {
        var attributes = new Dictionary<string, JsonElement>();
        foreach (string name in Names)
            if (random.Next(3) > 0)
                attributes[name] = JsonSerializer.SerializeToElement(random.Next(4) == 0 ? new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => Value(random))]) : Value(random));
        return attributes;
    }

    private static JsonNode? Value(Random random) => random.Next(8) switch
    {
        0 => null,
        1 => JsonValue.Create(random.Next(2) == 0),
        2 => JsonNode.Parse("1e999"),
        3 => new JsonObject { ["brand"] = "x" },
        4 => new JsonArray("x"),
        5 => JsonValue.Create(Any(random, Numbers)),
        _ => JsonValue.Create(Any(random, Texts)),
    };

    private static ItemFilter Filter(Random random, int depth, int count) => new() { Must = Conditions(random, depth, count), Should = Conditions(random, depth, count), MustNot = Conditions(random, depth, count) };

    private static ItemCondition[] Conditions(Random random, int depth, int count) => [.. Enumerable.Range(0, Math.Max(0, random.Next(-2, 3))).Select(_ => Condition(random, depth, count))];

    private static ItemCondition Condition(Random random, int depth, int count) => random.Next(depth < 2 ? 6 : 5) switch
    {
        0 => new HasId(Enumerable.Range(0, random.Next(count)).Select(_ => new ItemId($"i{random.Next(2 * count)}")).ToHashSet()),
        1 => new NumberRange(Any(random, Names), Maybe(random, Numbers), Maybe(random, Numbers), Maybe(random, Numbers), Maybe(random, Numbers)),
        2 => new TimeRange(Any(random, Names), Maybe(random, Times), Maybe(random, Times), Maybe(random, Times), Maybe(random, Times)),
        5 => Filter(random, depth + 1, count),
        _ => new AnyOf(Any(random, Names), [.. Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(3) switch
        {
            0 => AttributeValue.From(random.Next(2) == 0),
            1 => AttributeValue.From(Any(random, Numbers)),
            _ => AttributeValue.From(Any(random, Texts)),
        })]),
    };

    private static T Any<T>(Random random, T[] of) => of[random.Next(of.Length)];

    private static T? Maybe<T>(Random random, T[] of)
        where T : struct => random.Next(2) == 0 ? null : Any(random, of);
}
