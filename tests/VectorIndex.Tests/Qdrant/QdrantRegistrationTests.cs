using BeeFormer.Streaming.VectorIndex.Embedded;
using BeeFormer.Streaming.VectorIndex.Qdrant;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.VectorIndex.Tests;

public sealed class QdrantRegistrationTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("vector-index-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private ServiceProvider Services(params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))).Build();
        return new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddLogging().AddVectorIndex(configuration, folder).BuildServiceProvider();
    }

    [Fact]
    public async Task Configuration_alone_decides_which_form_runs()
    {
        await using (var embedded = Services()) Assert.IsType<EmbeddedVectorIndex>(embedded.GetRequiredService<IVectorIndex>());
        await using var qdrant = Services(("Qdrant:Endpoint", "http://127.0.0.1:1"), ("Qdrant:IndexedAttributes:brand", "keyword"), ("Qdrant:ReadTimeout", "00:00:03"), ("Qdrant:Prefix", "shop-"));
        Assert.IsType<QdrantVectorIndex>(qdrant.GetRequiredService<IVectorIndex>());
        var options = qdrant.GetRequiredService<IOptions<QdrantOptions>>().Value;
        Assert.Equal((AttributeIndex.Keyword, TimeSpan.FromSeconds(3), "shop-"), (options.IndexedAttributes["brand"], options.ReadTimeout, options.Prefix));
    }

    [Theory]
    [InlineData("Endpoint", "127.0.0.1:6334", "Qdrant:Endpoint is \"127.0.0.1:6334\"; expected http://host:6334")]
    [InlineData("Endpoint", "ftp://host:6334", "Qdrant:Endpoint")]
    [InlineData("Endpoint", "http://user:secret@host:6334", "Qdrant:Endpoint")]
    [InlineData("ReadTimeout", "00:00:01", "Qdrant:ReadTimeout must be 00:00:02 to 00:10:00")]
    [InlineData("WriteTimeout", "02:00:00", "Qdrant:WriteTimeout must be 00:00:02 to 01:00:00")]
    [InlineData("SettleTimeout", "00:00:00", "Qdrant:SettleTimeout")]
    [InlineData("UpsertBatch", "0", "Qdrant:UpsertBatch must be 1 to 10000")]
    [InlineData("InFlight", "65", "Qdrant:InFlight must be 1 to 64")]
    [InlineData("Shards", "0", "Qdrant:Shards")]
    [InlineData("Replicas", "0", "Qdrant:Replicas")]
    [InlineData("HnswM", "3", "Qdrant:HnswM")]
    [InlineData("HnswEfConstruct", "3", "Qdrant:HnswEfConstruct")]
    [InlineData("IndexingThreshold", "0", "Qdrant:IndexingThreshold")]
    [InlineData("SearchEf", "0", "Qdrant:SearchEf")]
    [InlineData("Prefix", "a/b", "Qdrant:Prefix must be up to 64 letters")]
    [InlineData("ApiKey", "secret\nsecret", "Qdrant:ApiKey has characters")]
    [InlineData("ApiKeyFile", "/no/such/file", "Qdrant:ApiKeyFile /no/such/file cannot be read")]
    [InlineData("CaCertificate", "/no/such/file", "Qdrant:CaCertificate /no/such/file cannot be read")]
    [InlineData("IndexedAttributes:brand", "7", "Qdrant:IndexedAttributes:brand is 7; expected Keyword")]
    public async Task A_wrong_setting_is_named(string key, string value, string sentence)
    {
        await using var services = Services(key == "Endpoint" ? [] : [("Qdrant:Endpoint", "http://127.0.0.1:1")], ($"Qdrant:{key}", value));
        var wrong = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IOptions<QdrantOptions>>().Value);
        Assert.Contains(wrong.Failures, failure => failure.Contains(sentence, StringComparison.Ordinal));
        if (key == "ApiKey") Assert.DoesNotContain("secret", wrong.ToString(), StringComparison.Ordinal);
    }

    private ServiceProvider Services((string Key, string Value)[] settings, (string Key, string Value) more) => Services([.. settings, more]);

    [Theory]
    [InlineData("NoSuchKey", "1")]
    [InlineData("IndexedAttributes:brand", "integer")]
    [InlineData("HnswM", "many")]
    public async Task What_cannot_be_read_is_named(string key, string value)
    {
        await using var services = Services([("Qdrant:Endpoint", "http://127.0.0.1:1")], ($"Qdrant:{key}", value));
        Assert.Contains(key.Split(':')[0], Assert.Throws<InvalidOperationException>(() => services.GetRequiredService<IOptions<QdrantOptions>>().Value).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_keys_are_one_too_many()
    {
        string file = Path.Combine(folder, "key");
        await File.WriteAllTextAsync(file, "a-key", TestContext.Current.CancellationToken);
        await using var services = Services(("Qdrant:Endpoint", "http://127.0.0.1:1"), ("Qdrant:ApiKey", "another"), ("Qdrant:ApiKeyFile", file));
        Assert.Contains("both set", Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IOptions<QdrantOptions>>().Value).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_do_not_print_the_key() => Assert.DoesNotContain("secret", new QdrantOptions { ApiKey = "secret" }.ToString(), StringComparison.Ordinal);
}
