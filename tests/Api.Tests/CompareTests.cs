using System.Net;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.InMemory;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.VectorIndex;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Api.Tests;

/// <summary>One question, two models.</summary>
public sealed class CompareTests
{
    private static readonly string[] Titles = ["red lamp", "red chair", "blue lamp", "blue chair", "green desk", "green lamp"];
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_model_answers_by_its_own_vectors()
    {
        await using var api = await ShopAsync();
        var (status, answer) = await api.PostAsync("/v1/compare", new { text = "red", k = 6 });
        Assert.Equal(HttpStatusCode.OK, status);
        var rankings = answer.GetProperty("rankings").EnumerateArray().ToList();
        Assert.Equal([api.Models.Previous!.Value.Value, api.Models.Live!.Value.Value], rankings.Select(ranking => ranking.GetProperty("version").GetString()));
        foreach (var ranking in rankings)
        {
            var fingerprint = new Fingerprint(ranking.GetProperty("fingerprint").GetString()!);
            float[] query = FakeModel.Embed(fingerprint, "red");
            Assert.Equal(Titles.OrderByDescending(title => FakeModel.Embed(fingerprint, title).Zip(query, (a, b) => a * b).Sum()), ranking.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("title").GetString()));
        }
        Assert.Equal(6, answer.GetProperty("shared").GetInt32());
        Assert.Equal(api.Models.Live!.Value.Value, answer.GetProperty("model_version").GetString());
    }

    [Fact]
    public async Task Items_histories_and_users_are_compared_without_themselves()
    {
        await using var api = await ShopAsync();
        api.Profiles.Bought("u1", "i0");
        foreach (object question in new object[] { new { item_id = "i0", k = 6 }, new { history = new[] { "i0" }, k = 6 }, new { user_id = "u1", k = 6 } })
        {
            var (status, answer) = await api.PostAsync("/v1/compare", question);
            Assert.Equal(HttpStatusCode.OK, status);
            foreach (var ranking in answer.GetProperty("rankings").EnumerateArray()) Assert.Equal(["i1", "i2", "i3", "i4", "i5"], ApiUnderTest.Ids(ranking).Order());
        }
        foreach (object question in new object[] { new { user_id = "nobody" }, new { item_id = "absent" }, new { history = new[] { "absent" } } })
        {
            var (status, answer) = await api.PostAsync("/v1/compare", question);
            Assert.Equal(HttpStatusCode.OK, status);
            foreach (var ranking in answer.GetProperty("rankings").EnumerateArray()) Assert.Empty(ApiUnderTest.Ids(ranking));
        }
    }

    [Fact]
    public async Task A_deleted_item_is_in_neither_answer_even_where_the_older_collection_never_hears_of_it()
    {
        await using var api = await ShopAsync();
        await api.SendAsync(HttpMethod.Delete, "/v1/items/i0");
        await AssertGoneAsync();

        // The Indexer brings it into the collection that serves, and no other.
        var alias = (await api.Index.ResolveAliasAsync("items", Token))!;
        await api.Index.DeleteAsync(alias.Collection, [(new ItemId("i0"), 1_000)], Token);
        await using (var indexer = api.Log.Subscribe(Topics.Items, ReaderGroups.Indexer, _ => 0)) await indexer.CommitAsync(0, 1_000, Token);
        await ApiUnderTest.UntilAsync(() => Task.FromResult(api.Services.GetRequiredService<HiddenItems>().Current.Count == 0));
        await AssertGoneAsync();

        async Task AssertGoneAsync()
        {
            var (_, answer) = await api.PostAsync("/v1/compare", new { text = "red lamp", k = 5 });
            foreach (var ranking in answer.GetProperty("rankings").EnumerateArray()) Assert.Equal(["i1", "i2", "i3", "i4", "i5"], ApiUnderTest.Ids(ranking).Order());
        }
    }

    [Theory]
    [InlineData("""{"k": 5}""", "Expected one of text, item_id, user_id and history.")]
    [InlineData("""{"text": "a", "item_id": "b"}""", "Expected one of text, item_id, user_id and history.")]
    [InlineData("""{"text": " "}""", "text is missing or empty")]
    [InlineData("""{"item_id": ""}""", "item_id is missing or empty")]
    [InlineData("""{"user_id": ""}""", "user_id is missing or empty")]
    [InlineData("""{"history": ["a", null]}""", "history[1] is missing or empty")]
    [InlineData("""{"text": "a", "k": 0}""", "k is 0")]
    [InlineData("""{"text": "a", "versions": ["one"]}""", "Expected two different model versions.")]
    [InlineData("""{"text": "a", "versions": ["one", "one"]}""", "Expected two different model versions.")]
    [InlineData("""{"text": "a", "versions": ["one", null]}""", "Expected two different model versions.")]
    public async Task What_is_no_question_is_refused(string body, string why)
    {
        await using var api = await ShopAsync();
        var (status, problem) = await api.SendAsync(HttpMethod.Post, "/v1/compare", body);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(why, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Models_that_are_not_there_and_collections_that_are_gone_are_named()
    {
        await using var api = await ShopAsync();
        var (status, problem) = await api.PostAsync("/v1/compare", new { text = "red", versions = new[] { api.Models.Live!.Value.Value, "000099-none" } });
        Assert.Equal((HttpStatusCode.NotFound, "There is no model 000099-none."), (status, problem.GetProperty("detail").GetString()));

        // As soon as the pair that served from it has let it go.
        await ApiUnderTest.UntilAsync(async () => await api.Index.DropAsync($"items-{new string('a', 8)}", Token));
        (status, problem) = await api.PostAsync("/v1/compare", new { text = "red" });
        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.Contains($"no collection of model {api.Models.Previous}", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);

        await using var first = await ApiUnderTest.StartAsync();
        (status, problem) = await first.PostAsync("/v1/compare", new { text = "red" });
        Assert.Equal((HttpStatusCode.Conflict, "There is no model before the live one; expected versions with two models."), (status, problem.GetProperty("detail").GetString()));
    }

    [Fact]
    public async Task Models_are_loaded_one_at_a_time_and_a_load_that_takes_too_long_is_given_up()
    {
        await using var api = await ShopAsync();
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var (loading, goOn) = (new SemaphoreSlim(0), new SemaphoreSlim(0));
        int loads = 0, now = 0, most = 0;
        LoadQueryEmbedder load = version =>
        {
            Interlocked.Increment(ref loads);
            most = Math.Max(most, Interlocked.Increment(ref now));
            loading.Release();
            goOn.Wait(Token);
            Interlocked.Decrement(ref now);
            return new Embedder(api.Models.Find(version)!.Model.Fingerprint);
        };
        using var comparison = ActivatorUtilities.CreateInstance<ModelComparison>(api.Services, load, (TimeProvider)clock);
        Task<ModelRanking?> RankAsync() => comparison.RankAsync(api.Models.Previous!.Value, new ComparedQuery("red", null, []), 3, Token);

        var first = RankAsync();
        await loading.WaitAsync(Token);
        var second = RankAsync();
        clock.Advance(TimeSpan.FromSeconds(31));
        await Assert.ThrowsAsync<TimeoutException>(() => first);
        await Assert.ThrowsAsync<TimeoutException>(() => second);
        Assert.Equal((1, 1), (loads, now)); // the second one never began

        goOn.Release(2);
        Assert.Equal(3, (await RankAsync())!.Items.Count);
        Assert.Equal((2, 1), (loads, most));
    }

    /// <summary>Model a was live before b.</summary>
    private static async Task<ApiUnderTest> ShopAsync()
    {
        var api = await ApiUnderTest.StartAsync();
        for (int n = 0; n < Titles.Length; n++) await api.IndexAsync($"i{n}", Titles[n]);
        var model = await api.ServeAsync('b');
        await ApiUnderTest.UntilAsync(() => Task.FromResult(api.Pairs.Identity?.Version == model.Version));
        return api;
    }

    private sealed class Embedder(Fingerprint fingerprint) : IQueryEmbedder
    {
        public Fingerprint Fingerprint => fingerprint;
        public float[] EmbedQuery(string text) => FakeModel.Embed(fingerprint, text);
        public void Dispose() { }
    }
}
