using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Api.Tests;

public sealed class ApiKeyTests
{
    private static readonly (string Key, ApiKeyHash Hash) Reader = ApiKeyHash.New(), Writer = ApiKeyHash.New(), Boss = ApiKeyHash.New();

    [Fact]
    public async Task Each_endpoint_wants_its_scope()
    {
        await using var api = await KeyedAsync();
        var calls = new (HttpMethod Method, string Path, string? Body, string Scope)[]
        {
            (HttpMethod.Post, "/v1/recommendations", """{"user_id":"u"}""", "read"),
            (HttpMethod.Post, "/v1/recommendations/batch", """{"requests":[{}]}""", "read"),
            (HttpMethod.Get, "/v1/items/i", null, "read"),
            (HttpMethod.Get, "/v1/items/i/similar", null, "read"),
            (HttpMethod.Post, "/v1/search", """{"text":"x"}""", "read"),
            (HttpMethod.Post, "/v1/score", """{"user_id":"u","candidates":["i"]}""", "read"),
            (HttpMethod.Post, "/v1/embeddings", """{"texts":["x"]}""", "read"),
            (HttpMethod.Get, "/v1/models", null, "read"),
            (HttpMethod.Get, "/v1/trainings", null, "read"),
            (HttpMethod.Get, "/v1/pipeline", null, "read"), (HttpMethod.Get, "/v1/variants", null, "read"),
            (HttpMethod.Post, "/v1/compare", """{"text":"x"}""", "admin"),
            (HttpMethod.Post, "/v1/events", "[]", "write"),
            (HttpMethod.Post, "/v1/items", "[]", "write"),
            (HttpMethod.Put, "/v1/items/i", "{}", "write"),
            (HttpMethod.Delete, "/v1/items/i", null, "write"),
            (HttpMethod.Delete, "/v1/users/u", null, "write"),
            (HttpMethod.Post, "/v1/models/x/activate", null, "admin"),
            (HttpMethod.Get, "/v1/models/x/archive", null, "admin"),
            (HttpMethod.Post, "/v1/models/archives", "x", "admin"),
            (HttpMethod.Post, "/v1/trainings", "{}", "admin"),
            (HttpMethod.Get, "/v1/dead-letters", null, "admin"),
            (HttpMethod.Post, "/v1/dead-letters/replay", "{}", "admin"),
            (HttpMethod.Get, "/v1/users/u/erasure", null, "admin"),
            (HttpMethod.Get, "/nothing", null, "admin"),
        };
        foreach (var (method, path, body, scope) in calls)
        foreach (var (key, own) in new[] { (Reader.Key, "read"), (Writer.Key, "write"), (Boss.Key, "admin") })
        {
            var (status, answer) = await AskAsync(api, method, path, body, key);
            if (own == scope) Assert.True(status is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden), $"{method} {path} with {own}: {status}");
            else Assert.True(status == HttpStatusCode.Forbidden && answer.GetProperty("code").GetString() == "scope_missing", $"{method} {path} with {own}: {status}");
        }
    }

    [Fact]
    public async Task Metrics_are_for_admins()
    {
        await using var api = await KeyedAsync();
        foreach (var (key, expected) in new[] { (null, HttpStatusCode.Unauthorized), (Reader.Key, HttpStatusCode.Forbidden), (Writer.Key, HttpStatusCode.Forbidden), (Boss.Key, HttpStatusCode.OK) })
        {
            using var response = await SendAsync(api, HttpMethod.Get, "/metrics", null, key);
            Assert.Equal((expected, expected == HttpStatusCode.OK), (response.StatusCode, (await response.Content.ReadAsStringAsync(ApiUnderTest.Token)).Contains("# TYPE", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task Without_a_known_key_only_health_the_document_and_the_dashboard_s_files_answer()
    {
        await using var api = await KeyedAsync();
        foreach (string open in new[] { "/healthz", "/readyz", "/openapi/v1.json" }) Assert.Equal(HttpStatusCode.OK, (await AskAsync(api, HttpMethod.Get, open, null, null)).Status);
        foreach (string file in new[] { "/", "/dashboard/app.js" }) Assert.Equal(HttpStatusCode.OK, (await SendAsync(api, HttpMethod.Get, file, null, null)).StatusCode);
        foreach (string? key in new[] { null, "", "x", "bf..", Reader.Key[..^1] + (Reader.Key[^1] == 'A' ? 'B' : 'A'), Reader.Key + "A", ApiKeyHash.New().Key, Reader.Hash.ToString(), new string('x', 5000) })
        {
            using var response = await SendAsync(api, HttpMethod.Get, "/v1/models", null, key);
            var problem = JsonSerializer.Deserialize<JsonElement>(await response.Content.ReadAsStringAsync(ApiUnderTest.Token));
            Assert.Equal((HttpStatusCode.Unauthorized, string.IsNullOrEmpty(key) ? "key_missing" : "key_unknown"), (response.StatusCode, problem.GetProperty("code").GetString()));
            Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().Scheme);
        }
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Add("X-Api-Key", Reader.Key);
        Assert.Equal(HttpStatusCode.OK, (await api.Client.SendAsync(request, ApiUnderTest.Token)).StatusCode);
    }

    [Fact]
    public async Task Keys_change_while_the_service_runs_and_a_broken_change_changes_nothing()
    {
        await using var api = await KeyedAsync();
        async Task<HttpStatusCode> WithAsync(string key) => (await AskAsync(api, HttpMethod.Get, "/v1/models", null, key)).Status;
        var next = ApiKeyHash.New();
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized), (await WithAsync(Reader.Key), await WithAsync(next.Key)));

        Configure(api, ("ApiKeys:0:Hash", next.Hash.ToString()));
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), (await WithAsync(Reader.Key), await WithAsync(next.Key)));
        Configure(api, ("ApiKeys:0:Scopes", "everything"));
        Assert.Equal(HttpStatusCode.OK, await WithAsync(next.Key));
        Configure(api, ("ApiKeys:0:Scopes", "write"));
        Assert.Equal(HttpStatusCode.Forbidden, await WithAsync(next.Key));
    }

    [Fact]
    public async Task Keys_that_vanish_stay_and_an_empty_list_lets_nobody_in()
    {
        var source = new ChangingSource();
        source.Change(("ApiKeys:0:Name", "r"), ("ApiKeys:0:Hash", Reader.Hash.ToString()), ("ApiKeys:0:Scopes", "read"));
        using var keys = new ApiKeys(new ConfigurationBuilder().Add(source).Build(), Microsoft.Extensions.Logging.Abstractions.NullLogger<ApiKeys>.Instance);
        Assert.Equal("r", (await keys.FindAsync(Reader.Key, ApiUnderTest.Token))?.Name);
        source.Change(); // half a file, or none
        Assert.NotNull(await keys.FindAsync(Reader.Key, ApiUnderTest.Token));
        source.Change(("ApiKeys", ""));
        Assert.Null(await keys.FindAsync(Reader.Key, ApiUnderTest.Token));
        Assert.True(keys.Required);
        source.Change(("ApiKeys:0:Name", "w"), ("ApiKeys:0:Hash", Writer.Hash.ToString()), ("ApiKeys:0:Scopes", "read write"));
        Assert.Equal("w", (await keys.FindAsync(Writer.Key, ApiUnderTest.Token))?.Name);
        Assert.Null(await keys.FindAsync(Reader.Key, ApiUnderTest.Token));
    }

    [Fact]
    public async Task Once_a_key_is_configured_one_is_needed()
    {
        await using var api = await ApiUnderTest.StartAsync();
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(api, HttpMethod.Get, "/v1/models", null, null)).Status);
        Configure(api, ("ApiKeys:0:Name", "r"), ("ApiKeys:0:Hash", Reader.Hash.ToString()), ("ApiKeys:0:Scopes", "read"));
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync(api, HttpMethod.Get, "/v1/models", null, null)).Status);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(api, HttpMethod.Get, "/v1/models", null, Reader.Key)).Status);
    }

    [Theory]
    [InlineData("", "read", "pbkdf2-sha256:100000:AAAAAAAAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "Name")]
    [InlineData("n", "root", "pbkdf2-sha256:100000:AAAAAAAAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "read, write, admin")]
    [InlineData("n", "read", "pbkdf2-sha256:1:AAAAAAAAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "beeformer keys new")]
    [InlineData("n", "read", "secret", "beeformer keys new")]
    public void A_wrong_entry_is_named(string name, string scopes, string hash, string says)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("ApiKeys:0:Name", name), new("ApiKeys:0:Scopes", scopes), new("ApiKeys:0:Hash", hash)]).Build();
        string message = Assert.Throws<Microsoft.Extensions.Options.OptionsValidationException>(() => ApiKeyEntry.Read(configuration)).Message;
        Assert.StartsWith("ApiKeys:0: ", message, StringComparison.Ordinal);
        Assert.Contains(says, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_hash_fits_its_key_only_and_reads_as_it_was_written()
    {
        Assert.True(Reader.Hash.Fits(Reader.Key));
        Assert.False(Reader.Hash.Fits(Writer.Key));
        Assert.Equal(Reader.Hash, ApiKeyHash.Parse(Reader.Hash.ToString()));
        Assert.DoesNotContain(Reader.Key.Split('.')[2], Reader.Hash.ToString(), StringComparison.Ordinal);
        Assert.True(Reader.Key.Length <= ApiKeyHash.MaxKeyLength);
    }

    [Fact]
    public async Task Who_asks_too_often_is_told_when_to_come_back_and_others_are_not_held_up()
    {
        await using var api = await KeyedAsync(("Api:RequestsPerSecond", "0.001"), ("Api:BurstSeconds", "3000"), ("ApiKeys:1:RequestsPerSecond", "1000"));
        for (int n = 0; n < 3; n++) Assert.Equal(HttpStatusCode.OK, (await AskAsync(api, HttpMethod.Get, "/v1/models", null, Reader.Key)).Status);
        using var refused = await SendAsync(api, HttpMethod.Get, "/v1/models", null, Reader.Key);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.True(refused.Headers.RetryAfter!.Delta > TimeSpan.Zero);
        Assert.Contains("rate_limited", await refused.Content.ReadAsStringAsync(ApiUnderTest.Token), StringComparison.Ordinal);
        for (int n = 0; n < 50; n++) Assert.Equal(HttpStatusCode.Forbidden, (await AskAsync(api, HttpMethod.Get, "/v1/models", null, Writer.Key)).Status);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(api, HttpMethod.Get, "/healthz", null, null)).Status);
    }

    [Fact]
    public async Task Guessing_is_slowed_down()
    {
        await using var api = await KeyedAsync();
        HttpStatusCode status = default;
        for (int n = 0; n < 10_000 && status != HttpStatusCode.TooManyRequests; n++) (status, _) = await AskAsync(api, HttpMethod.Get, "/v1/models", null, "guess");
        Assert.Equal(HttpStatusCode.TooManyRequests, status);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(api, HttpMethod.Get, "/v1/models", null, Reader.Key)).Status);
    }

    [Theory]
    [InlineData("Host", "shop.example")]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    public async Task Without_keys_web_pages_of_others_stay_out(string header, string value)
    {
        await using var api = await ApiUnderTest.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/events") { Content = new StringContent("""[{"user_id":"u","item_id":"i","type":"view"}]""", MediaTypeHeaderValue.Parse("text/plain")) };
        request.Headers.TryAddWithoutValidation(header, value);
        using var response = await api.Client.SendAsync(request, ApiUnderTest.Token);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Contains("loopback_only", await response.Content.ReadAsStringAsync(ApiUnderTest.Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Origins_are_those_that_are_configured()
    {
        await using var none = await ApiUnderTest.StartAsync();
        await using var some = await ApiUnderTest.StartAsync(true, ("Api:CorsOrigins:0", "https://shop.example"));
        async Task<string?> AllowedAsync(ApiUnderTest api, string origin)
        {
            using var request = new HttpRequestMessage(HttpMethod.Options, "/v1/search") { Headers = { { "Origin", origin }, { "Access-Control-Request-Method", "POST" }, { "Access-Control-Request-Headers", "authorization,content-type" } } };
            using var response = await api.Client.SendAsync(request, ApiUnderTest.Token);
            return response.Headers.TryGetValues("Access-Control-Allow-Origin", out var allowed) ? allowed.Single() : null;
        }
        Assert.Null(await AllowedAsync(none, "https://shop.example"));
        Assert.Equal("https://shop.example", await AllowedAsync(some, "https://shop.example"));
        Assert.Null(await AllowedAsync(some, "https://evil.example"));
        using var asked = new HttpRequestMessage(HttpMethod.Get, "/v1/models") { Headers = { { "Origin", "https://shop.example" } } };
        Assert.Equal(HttpStatusCode.OK, (await some.Client.SendAsync(asked, ApiUnderTest.Token)).StatusCode);
    }

    private static Task<ApiUnderTest> KeyedAsync(params (string, string)[] more) => ApiUnderTest.StartAsync(true,
    [
        ("ApiKeys:0:Name", "reader"), ("ApiKeys:0:Hash", Reader.Hash.ToString()), ("ApiKeys:0:Scopes", "read"),
        ("ApiKeys:1:Name", "writer"), ("ApiKeys:1:Hash", Writer.Hash.ToString()), ("ApiKeys:1:Scopes", "write"),
        ("ApiKeys:2:Name", "boss"), ("ApiKeys:2:Hash", Boss.Hash.ToString()), ("ApiKeys:2:Scopes", "admin"),
        .. more,
    ]);

    private static void Configure(ApiUnderTest api, params (string Key, string? Value)[] settings)
    {
        var configuration = (IConfigurationRoot)api.Services.GetRequiredService<IConfiguration>();
        foreach (var (key, value) in settings) configuration[key] = value;
        configuration.Reload();
    }

    private static async Task<(HttpStatusCode Status, JsonElement Body)> AskAsync(ApiUnderTest api, HttpMethod method, string path, string? body, string? key)
    {
        using var response = await SendAsync(api, method, path, body, key);
        string text = await response.Content.ReadAsStringAsync(ApiUnderTest.Token);
        return (response.StatusCode, text.Length == 0 ? default : JsonSerializer.Deserialize<JsonElement>(text));
    }

    private static Task<HttpResponseMessage> SendAsync(ApiUnderTest api, HttpMethod method, string path, string? body, string? key)
    {
        var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body, MediaTypeHeaderValue.Parse("application/json"));
        if (key is not null) request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
        return api.Client.SendAsync(request, ApiUnderTest.Token);
    }

    private sealed class ChangingSource : ConfigurationProvider, IConfigurationSource
    {
        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

        public void Change(params (string Key, string Value)[] settings)
        {
            Data = settings.ToDictionary(setting => setting.Key, setting => (string?)setting.Value, StringComparer.OrdinalIgnoreCase);
            OnReload();
        }
    }
}
