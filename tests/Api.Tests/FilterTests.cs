using System.Net;
using System.Text.Json;
using BeeFormer.Streaming.VectorIndex;

namespace BeeFormer.Streaming.Api.Tests;

public sealed class FilterTests
{
    [Theory]
    [InlineData("""{"color":"red"}""", "lamp1")]
    [InlineData("""{"color":["red","blue"]}""", "lamp1 lamp2")]
    [InlineData("""{"color":"red","price":5}""", "lamp1")]
    [InlineData("""{"must":[{"attribute":"price","gte":5,"lt":10}]}""", "lamp1 lamp2")]
    [InlineData("""{"must":[{"attribute":"price","gt":5}]}""", "lamp2 chair1 chair2")]
    [InlineData("""{"must":[{"attribute":"price","lte":9}]}""", "lamp1 lamp2")]
    [InlineData("""{"must_not":[{"attribute":"color","any_of":["red","blue"]}]}""", "chair1 chair2")]
    [InlineData("""{"should":[{"attribute":"color","any_of":["red"]},{"ids":["chair2","nothing"]}]}""", "lamp1 chair2")]
    [InlineData("""{"must":[{"attribute":"released","after":"2024-01-01T00:00:00Z"}]}""", "chair1 chair2")]
    [InlineData("""{"must":[{"attribute":"released","at_or_after":"2024-01-01T00:00:00Z","before":"2025-01-01"}]}""", "lamp2 chair1")]
    [InlineData("""{"must":[{"attribute":"released","at_or_before":"2024-01-01T01:00:00+01:00"}]}""", "lamp1 lamp2")]
    [InlineData("""{"must":[{"should":[{"attribute":"color","any_of":["red"]},{"must":[{"attribute":"price","gte":50}]}]}],"must_not":[{"attribute":"sale","any_of":[true]}]}""", "lamp1 chair1")]
    [InlineData("""{"must":[{"attribute":"must","any_of":["have"]}]}""", "chair1")]
    [InlineData("""{"must":[],"should":[]}""", "lamp1 lamp2 chair1 chair2")]
    [InlineData("""{}""", "lamp1 lamp2 chair1 chair2")]
    [InlineData("null", "lamp1 lamp2 chair1 chair2")]
    public async Task Filters_choose(string filter, string expected)
    {
        await using var api = await ApiUnderTest.StartAsync();
        await api.IndexAsync("lamp1", "red lamp", attributes: new { color = "red", price = 5, released = "2023-05-01" });
        await api.IndexAsync("lamp2", "blue lamp", attributes: new { color = "blue", price = 9, released = "2024-01-01" });
        await api.IndexAsync("chair1", "green chair", attributes: new { color = "green", price = 50, released = "2024-06-01T12:00:00Z", must = "have" });
        await api.IndexAsync("chair2", "wooden chair", attributes: new { color = new[] { "brown", "dark" }, price = 99.5, released = "2025-01-01", sale = true });
        var (status, answer) = await api.SendAsync(HttpMethod.Post, "/v1/search", $$"""{"text":"lamp","filter":{{filter}}}""");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(expected.Split(' ').Order(), ApiUnderTest.Ids(answer).Order());
        // The same as a query string.
        (_, answer) = await api.SendAsync(HttpMethod.Get, $"/v1/items/lamp1/similar?filter={Uri.EscapeDataString(filter)}");
        Assert.Equal(expected.Split(' ').Where(id => id != "lamp1").Order(), ApiUnderTest.Ids(answer).Order());
    }

    [Theory]
    [InlineData("7", "filter", "an object")]
    [InlineData("""{"a":{}}""", "filter.a", "a string, a number")]
    [InlineData("""{"a":[]}""", "filter.a", "non-empty")]
    [InlineData("""{"a":[[1]]}""", "filter.a", "non-empty array of these")]
    [InlineData("""{"a":1e999}""", "filter.a", "a number")]
    [InlineData("""{"":1}""", "filter.", "1 to 200")]
    [InlineData("""{"must":"have"}""", "filter.must", "array of conditions")]
    [InlineData("""{"must":[],"brand":"x"}""", "filter.brand", "stands beside must")]
    [InlineData("""{"must":[{"brand":"x"}]}""", "filter.must[0]", "has no attribute")]
    [InlineData("""{"must":[{"attribute":"price"}]}""", "filter.must[0]", "beside it")]
    [InlineData("""{"must":[{"attribute":5,"any_of":[1]}]}""", "filter.must[0].attribute", "the name")]
    [InlineData("""{"must":[{"attribute":"a","any_of":[1]},{"attribute":"a","any_of":[1]},{"attribute":"price","gte":"5"}]}""", "filter.must[2].gte", "a finite number")]
    [InlineData("""{"must":[{"attribute":"price","gte":5,"any_of":[1]}]}""", "filter.must[0].any_of", "alone")]
    [InlineData("""{"must":[{"attribute":"price","gte":5,"after":"2024-01-01"}]}""", "filter.must[0].after", "does not belong")]
    [InlineData("""{"must":[{"attribute":"price","above":5}]}""", "filter.must[0].above", "does not belong")]
    [InlineData("""{"must":[{"attribute":"released","after":"soon"}]}""", "filter.must[0].after", "2024-01-01T00:00:00Z")]
    [InlineData("""{"must_not":[{"ids":[]}]}""", "filter.must_not[0].ids", "non-empty")]
    [InlineData("""{"must_not":[{"ids":["a",""]}]}""", "filter.must_not[0].ids[1]", "missing or empty")]
    [InlineData("""{"must_not":[{"ids":["a"],"attribute":"b"}]}""", "filter.must_not[0]", "ids alone")]
    [InlineData("""{"must":[{"must":[{"must":[{"must":[{"must":[{"must":[]}]}]}]}]}]}""", "filter.must[0].must[0].must[0].must[0].must[0]", "6 deep")]
    [InlineData("""{"a":"\ud800"}""", "filter", "valid Unicode")]
    [InlineData("""{"\ud800":1}""", "filter", "valid Unicode")]
    public void Wrong_filters_are_refused_with_the_place(string filter, string field, string says)
    {
        var refusal = FilterJson.Read(JsonElement.Parse(filter), 10, out _);
        Assert.NotNull(refusal);
        Assert.Equal((400, field), (refusal.StatusCode, refusal.ProblemDetails.Extensions["field"]));
        Assert.Contains(says, refusal.ProblemDetails.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Size_is_bounded()
    {
        string condition = """{"attribute":"a","any_of":[1]}""";
        string Must(int count) => "{\"must\":[" + string.Join(',', Enumerable.Repeat(condition, count)) + "]}";
        Assert.Null(FilterJson.Read(JsonElement.Parse(Must(FilterJson.MaxConditions)), 10, out var filter));
        Assert.Equal(FilterJson.MaxConditions, filter.Must.Count);
        foreach (string tooMuch in new[]
        {
            Must(FilterJson.MaxConditions + 1),
            JsonSerializer.Serialize(new { a = Enumerable.Range(0, FilterJson.MaxValues + 1) }),
            JsonSerializer.Serialize(new { must = new[] { new { ids = Enumerable.Range(0, 11).Select(n => $"{n}") } } }),
            JsonSerializer.Serialize(new Dictionary<string, int> { [new string('a', FilterJson.MaxNameLength + 1)] = 1 }),
        })
        {
            var refusal = FilterJson.Read(JsonElement.Parse(tooMuch), 10, out _);
            Assert.True(refusal is not null && refusal.ProblemDetails.Detail!.Length < 400, tooMuch[..40]);
        }
    }

    [Fact]
    public void The_long_form_becomes_the_tree_of_the_index()
    {
        Assert.Null(FilterJson.Read(JsonElement.Parse("""{"must":[{"attribute":"p","gt":1,"gte":2,"lt":3,"lte":4},{"should":[{"ids":["i"]}]}]}"""), 10, out var filter));
        Assert.Equal(new NumberRange("p", 1, 2, 3, 4), filter.Must[0]);
        Assert.IsType<HasId>(Assert.IsType<ItemFilter>(filter.Must[1]).Should.Single());
    }
}
