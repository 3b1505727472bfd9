using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.InMemory;
using BeeFormer.Streaming.VectorIndex;
using BeeFormer.Streaming.VectorIndex.Embedded;

namespace BeeFormer.Streaming.Api.Tests;

/// <summary>
/// Models switch under load, thousands of times. The vectors of a model differ from every other's, so scores give away a query of one model that met a collection
/// of another; and since every item is in the catalogue all the time, every answer must hold all of them.
/// </summary>
public sealed class SwitchingTests
{
    private const int Requesters = 8;
    private static readonly string[] Titles = [.. Enumerable.Range(0, 12).Select(n => $"thing{n} word{n % 3}")];
    private static readonly int[] Bought = [0, 4];

    private static CancellationToken Token => ApiUnderTest.Token;

    [Fact]
    public Task On_parts_in_memory() => SwitchAsync(new MemoryVectorIndex(), 2000);

    [Fact]
    public async Task On_the_embedded_index()
    {
        string folder = Directory.CreateTempSubdirectory("api-switching-").FullName;
        using (var index = new EmbeddedVectorIndex(folder)) await SwitchAsync(index, 250);
        Directory.Delete(folder, recursive: true);
    }

    private static async Task SwitchAsync(IVectorIndex index, int switches)
    {
        await using var api = await ApiUnderTest.StartOnAsync(index, settings: [("Ranking:Popularity", "0"), ("Ranking:History", "0"), ("UserVector:OrderHalfLife", "0")]);
        for (int n = 0; n < Titles.Length; n++) await api.IndexAsync($"i{n}", Titles[n]);
        api.Profiles.Bought("u", [.. Bought.Select(n => $"i{n}")]);

        using var stop = new CancellationTokenSource();
        long answers = 0;
        var served = new ConcurrentDictionary<long, string>();
        var requesters = Enumerable.Range(0, Requesters).Select(seed => Task.Run(async () =>
        {
            var random = new Random(seed);
            while (!stop.IsCancellationRequested)
            {
                await AskAsync(api, random, served);
                Interlocked.Increment(ref answers);
            }
        }, Token)).ToList();

        var choice = new Random(7);
        long generation = 1;
        char letter = 'a';
        for (int n = 0; n < switches; n++)
        {
            // Now and then one that is gone before anybody has followed it.
            for (int hurry = choice.Next(8) == 0 ? 2 : 1; hurry > 0; hurry--)
            {
                letter = (char)('a' + (letter - 'a' + 1 + choice.Next(9)) % 10);
                await api.ServeAsync(letter);
                generation++;
            }
            api.WakePairs();
            long before = Interlocked.Read(ref answers);
            await ApiUnderTest.UntilAsync(async () =>
            {
                foreach (var collection in await index.ListAsync(Token)) await index.DropAsync(collection.Name, Token);
                return requesters.Exists(requester => requester.IsFaulted) || api.Pairs.Identity!.Generation == generation && Interlocked.Read(ref answers) > before;
            });
        }
        await stop.CancelAsync();
        await Task.WhenAll(requesters);

        Assert.Equal(generation, api.Pairs.Identity!.Generation);
        Assert.True(served.Count > switches / 2, $"Answers came from {served.Count} of {generation} generations.");
        await ApiUnderTest.UntilAsync(async () =>
        {
            foreach (var collection in await index.ListAsync(Token)) await index.DropAsync(collection.Name, Token);
            return (await index.ListAsync(Token)).Count == 1; // nobody holds what nobody reads
        });
    }

    private static async Task AskAsync(ApiUnderTest api, Random random, ConcurrentDictionary<long, string> served)
    {
        int n = random.Next(Titles.Length), kind = random.Next(3);
        var (status, answer) = kind switch
        {
            0 => await api.PostAsync("/v1/search", new { text = Titles[n], k = 100 }),
            1 => await api.SendAsync(HttpMethod.Get, $"/v1/items/i{n}/similar?k=100"),
            _ => await api.PostAsync("/v1/recommendations", new { user_id = "u", k = 100, exclude_seen = false, explain = true }),
        };
        Assert.True(status == HttpStatusCode.OK, $"{status}: {answer}");

        string fingerprint = answer.GetProperty("fingerprint").GetString()!, version = answer.GetProperty("model_version").GetString()!;
        var pair = api.Models.Find(new ModelVersion(version))!;
        Assert.Equal(pair.Model.Fingerprint.Value, fingerprint);
        Assert.Equal(version, served.GetOrAdd(answer.GetProperty("index_generation").GetInt64(), version));

        var vectors = Vectors.GetOrAdd(fingerprint, name => [.. Titles.Select(title => FakeModel.Embed(new Fingerprint(name), title))]);
        float[] query = kind == 2 ? UserVector.Sum([.. Bought.Select(item => (new ItemId($"i{item}"), 1.0))], item => vectors[Number(item.Value)])! : vectors[n];
        var items = answer.GetProperty("items").EnumerateArray().ToList();
        Assert.Equal(Enumerable.Range(0, Titles.Length).Where(item => kind != 1 || item != n), items.Select(item => Number(item.GetProperty("item_id").GetString()!)).Order());
        foreach (var item in items)
        {
            float[] vector = vectors[Number(item.GetProperty("item_id").GetString()!)];
            Assert.Equal(Dot(query, vector), item.GetProperty("score").GetDouble(), 1e-4);
            if (kind == 2) Assert.Equal(Bought.Max(bought => Dot(vectors[bought], vector)), item.GetProperty("because").GetProperty("similarity").GetDouble(), 1e-4);
        }
    }

    private static readonly ConcurrentDictionary<string, float[][]> Vectors = [];

    private static int Number(string id) => int.Parse(id.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture);

    private static double Dot(float[] left, float[] right) => left.Zip(right, (a, b) => (double)a * b).Sum();
}
