using BeeFormer.Streaming.Contracts;
using TorchSharp;

namespace BeeFormer.Streaming.Encoder.Tests;

public sealed class SharedModelsTests : IDisposable
{
    private static readonly string[] s_texts = ["red garden chair", "blue garden chair", "a red cup of tea", "tea"];
    private readonly TemporaryFolder _folder = new();
    private readonly SharedModels _shared;
    private int _loads;
    private Exception? _failure;

    public SharedModelsTests() => _shared = new SharedModels((folder, without) =>
    {
        Interlocked.Increment(ref _loads);
        return _failure is { } failure ? throw failure : SentenceEncoder.Load(folder, null, EncoderArithmetic.Float32, without);
    });

    public void Dispose() => _folder.Dispose();

    /// <summary>A version as it is published; without seed it has no head.</summary>
    private string Version(string name, int? seed, string encoder = "tiny-bert", string template = "{title}")
    {
        string folder = _folder.File(name);
        using SentenceEncoder sentences = SentenceEncoder.Load(Path.Combine(Golden.Repository, "tests", "golden", "encoder", encoder, "model"));
        using var model = new EmbeddingModel(sentences, seed is { } drawn ? Head.Create(sentences.Dimension, s_texts, drawn) : null, new ItemText(template), cache: null);
        model.Save(folder);
        return folder;
    }

    private EmbeddingModel Rent(string folder) => _shared.Rent(folder, cache: null);

    [Fact]
    public void Rented_twice_loaded_once()
    {
        string version = Version("one", seed: 1);
        using EmbeddingModel first = Rent(version), second = Rent(version + Path.DirectorySeparatorChar);
        Assert.Equal(1, _loads);
        Assert.Same(first.Encoder, second.Encoder);
        Assert.Same(first.Head, second.Head);
        Assert.Equal(first.Fingerprint, second.Fingerprint);
    }

    [Fact]
    public void A_rented_model_is_the_loaded_one()
    {
        string version = Version("one", seed: 1);
        using EmbeddingModel rented = Rent(version), loaded = EmbeddingModel.Load(version, cache: null, arithmetic: EncoderArithmetic.Float32);
        Assert.Equal(loaded.Fingerprint, rented.Fingerprint);
        Assert.Equal(loaded.EmbedTexts(s_texts).Values, rented.EmbedTexts(s_texts).Values);
    }

    [Fact]
    public void Versions_that_differ_in_their_heads_share_the_encoder()
    {
        string plain = Version("base", seed: null), one = Version("one", seed: 1), two = Version("two", seed: 2);
        using EmbeddingModel before = Rent(plain), first = Rent(one), second = Rent(two);
        Assert.Equal(1, _loads);
        Assert.Same(before.Encoder, first.Encoder);
        Assert.Same(first.Encoder, second.Encoder);
        Assert.Equal(3, new[] { before, first, second }.Select(model => model.Fingerprint).Distinct().Count());
    }

    [Fact]
    public void Versions_that_differ_in_their_templates_share_the_encoder_and_read_items_each_by_its_own()
    {
        using EmbeddingModel one = Rent(Version("one", seed: 1)), two = Rent(Version("two", seed: 1, template: "{description}, {title}"));
        Assert.Equal(1, _loads);
        Assert.Same(one.Encoder, two.Encoder);
        Assert.NotEqual(one.Fingerprint, two.Fingerprint);
        var item = new ItemEvent(new ItemId("1"), "garden chair", "red", new Dictionary<string, System.Text.Json.JsonElement>(), null, true, 0);
        Golden.AssertClose(one.EmbedTexts(["garden chair"]).Values, one.EmbedItems([item]).Values, 1e-6, "by title");
        Golden.AssertClose(two.EmbedTexts(["red, garden chair"]).Values, two.EmbedItems([item]).Values, 1e-6, "by description and title");
    }

    [Fact]
    public void Another_encoder_is_not_shared()
    {
        using EmbeddingModel one = Rent(Version("one", seed: 1)), two = Rent(Version("two", seed: 1, "tiny-bert-cased"));
        Assert.Equal(2, _loads);
        Assert.NotSame(one.Encoder, two.Encoder);
    }

    [Fact]
    public void A_shared_encoder_outlives_every_version_but_the_last()
    {
        string one = Version("one", seed: 1), two = Version("two", seed: 2);
        EmbeddingModel first = Rent(one), second = Rent(two);
        float[] vectors = second.EmbedTexts(s_texts).Values;
        first.Dispose();
        first.Dispose();
        Assert.Equal(vectors, second.EmbedTexts(s_texts).Values);
        second.Dispose();
        Assert.All(second.Encoder.Parameters, p => Assert.True(p.Value.IsInvalid));
        using EmbeddingModel again = Rent(one);
        Assert.Equal(2, _loads);
        Assert.Equal(4, again.EmbedTexts(s_texts).Rows);
    }

    [Fact]
    public void Nothing_is_left_when_all_are_given_back()
    {
        string one = Version("one", seed: 1), two = Version("two", seed: 2);
        using (EmbeddingModel model = Rent(one)) model.EmbedTexts(s_texts);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int n = 0; n < 10; n++)
        {
            using EmbeddingModel first = Rent(one), second = Rent(two), third = Rent(one);
            first.EmbedTexts(s_texts);
            second.EmbedQuery(s_texts[0]);
        }
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.Equal(11, _loads);
    }

    [Fact]
    public void A_failed_load_is_not_remembered_and_leaves_nothing()
    {
        string version = Version("one", seed: 1);
        _failure = new InvalidDataException("injected");
        Assert.Same(_failure, Assert.Throws<InvalidDataException>(() => Rent(version)));
        _failure = null;
        using EmbeddingModel model = Rent(version);
        Assert.Equal(2, _loads);
        Assert.Equal(4, model.EmbedTexts(s_texts).Rows);
    }

    [Fact]
    public void A_broken_head_gives_its_encoder_back()
    {
        string version = Version("one", seed: 1), sound = Version("two", seed: 2), head = Path.Combine(version, "head", "head.safetensors");
        byte[] whole = File.ReadAllBytes(head);
        File.WriteAllBytes(head, whole[..^4]);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Assert.Throws<InvalidDataException>(() => Rent(version));
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        using (EmbeddingModel other = Rent(sound)) Assert.Throws<InvalidDataException>(() => Rent(version));
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        File.WriteAllBytes(head, whole);
        using EmbeddingModel repaired = Rent(version);
        Assert.NotNull(repaired.Head);
    }

    [Fact]
    public void A_damaged_encoder_never_passes_for_the_sound_one_in_memory()
    {
        string one = Version("one", seed: 1), two = Version("two", seed: 2), weights = Path.Combine(two, "model.safetensors");
        byte[] bytes = File.ReadAllBytes(weights);
        bytes[bytes.Length / 2] ^= 0x40; // the pooler, which serves no embedding, lies at the end
        File.WriteAllBytes(weights, bytes);
        using EmbeddingModel sound = Rent(one), damaged = Rent(two);
        Assert.NotSame(sound.Encoder, damaged.Encoder);
        Assert.NotEqual(sound.Encoder.Fingerprint, damaged.Encoder.Fingerprint);
    }

    [Fact]
    public void Services_that_come_and_go_at_once_always_have_a_working_model()
    {
        string[] versions = [Version("one", seed: 1), Version("two", seed: 2)];
        float[][] expected = [.. versions.Select(version => { using EmbeddingModel model = Rent(version); return model.EmbedQuery("red chair"); })];
        Parallel.For(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 4 }, n =>
        {
            using EmbeddingModel model = Rent(versions[n % 2]);
            Golden.AssertClose(expected[n % 2], model.EmbedQuery("red chair"), 1e-6, $"rent {n}");
        });
    }
}
