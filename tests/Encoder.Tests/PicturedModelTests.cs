using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder.Tests.Images;
using SkiaSharp;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Encoder.Tests;

public sealed class PicturedModelTests : IDisposable
{
    private static readonly string s_clip = Path.Combine(Golden.Repository, "tests", "golden", "encoder", "tiny-clip", "model");
    private static readonly string[] s_texts = ["a red chair", "a red chair", "a cup of tea", "a cup of tea", "tea"];
    private static readonly string?[] s_urls = ["one.png", "two.png", "one.png", null, "broken.png"];

    private readonly TemporaryFolder _folder = new();
    private readonly PictureFolder _pictures;
    private readonly SharedModels _shared;
    private readonly EncoderOutputCache _cache;

    public PicturedModelTests()
    {
        Directory.CreateDirectory(_folder.File("pictures"));
        _pictures = new PictureFolder(_folder.File("pictures"));
        _shared = new SharedModels(EncoderArithmetic.Float32, _pictures);
        _cache = new EncoderOutputCache(_folder.File("cache"));
        Put("one.png", ImageFiles.Encode(SKEncodedImageFormat.Png, 40, 50));
        Put("two.png", ImageFiles.Encode(SKEncodedImageFormat.Png, 64, 30));
        Put("broken.png", [1, 2, 3]);
    }

    private void Put(string name, byte[] file) => File.WriteAllBytes(_folder.File(Path.Combine("pictures", name)), file);

    /// <summary>A version as it is published, with a weight and an image tower of its own.</summary>
    private string Version(string name, int? headSeed)
    {
        using TextImageEncoder encoder = TextImageEncoder.Load(s_clip, arithmetic: EncoderArithmetic.Float32);
        using (no_grad())
        using (NewDisposeScope())
        {
            encoder.LogWeight.copy_(tensor(new[] { 0.5f }));
            encoder.Image.Parameters[0].Value.neg_();
        }
        using var model = new EmbeddingModel(new ItemEncoder(encoder), headSeed is { } seed ? Head.Create(encoder.Dimension, s_texts, seed) : null, new ItemText(), cache: null, _pictures);
        model.Save(_folder.File(name));
        return _folder.File(name);
    }

    private EmbeddingModel Rent(string folder, EncoderOutputCache? cache = null) => _shared.Rent(folder, cache);

    private static void AssertClose(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual) => Golden.AssertClose(expected.ToArray(), actual.ToArray(), 1e-5, "vector");

    [Theory]
    [InlineData(null)]
    [InlineData(1)]
    public void Saved_model_comes_back_with_both_towers_and_is_saved_again_as_it_is(int? headSeed)
    {
        string version = Version("one", headSeed);
        using EmbeddingModel rented = Rent(version), loaded = EmbeddingModel.Load(version, cache: null);
        Assert.NotNull(loaded.ItemEncoder.Both);
        Assert.Equal(rented.Fingerprint, loaded.Fingerprint);
        Assert.Equal(rented.Head?.Fingerprint, loaded.Head?.Fingerprint);
        Assert.Equal(MathF.Exp(0.5f), loaded.ItemEncoder.Both.Weight);
        loaded.Save(_folder.File("again"));
        Assert.Equal(Files(version), Files(_folder.File("again")));

        static (string, string)[] Files(string folder) =>
            [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(file => (Path.GetRelativePath(folder, file), Convert.ToHexString(File.ReadAllBytes(file))))];
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1)]
    public void Vectors_are_those_of_text_and_picture_and_of_the_text_alone_where_no_picture_can_be_used(int? headSeed)
    {
        using EmbeddingModel model = Rent(Version("one", headSeed));
        EmbeddingMatrix vectors = model.EmbedItems(s_texts, s_texts, s_urls), texts = model.EmbedTexts(s_texts);
        TextImageEncoder both = model.ItemEncoder.Both!;
        EmbeddingMatrix e = both.Encode(["a red chair"], _ => File.ReadAllBytes(_folder.File(Path.Combine("pictures", "two.png"))), TextRole.Document);
        AssertClose(model.Head is null ? e.Row(0) : model.Head.Apply(e, ["a red chair"]).Row(0), vectors.Row(1));
        foreach (int row in (int[])[0, 1, 2]) Assert.NotEqual(texts.Row(row).ToArray(), vectors.Row(row).ToArray());
        AssertClose(texts.Row(3), vectors.Row(3));
        AssertClose(texts.Row(4), vectors.Row(4));
        AssertClose(model.EmbedQuery("tea"), vectors.Row(4));
        Assert.Equal(1, _pictures.RefusedCount);
    }

    [Fact]
    public void The_cache_keeps_each_text_with_each_picture_and_sees_that_a_file_has_changed()
    {
        using EmbeddingModel model = Rent(Version("one", headSeed: null), _cache), uncached = Rent(_folder.File("one"));
        EmbeddingMatrix expected = uncached.EmbedItems(s_texts, s_texts, s_urls);
        foreach (string _ in (string[])["computed", "kept"]) AssertClose(expected.Values, model.EmbedItems(s_texts, s_texts, s_urls).Values);
        Put("one.png", ImageFiles.Encode(SKEncodedImageFormat.Png, 33, 90));
        EmbeddingMatrix changed = model.EmbedItems(s_texts, s_texts, s_urls);
        Assert.NotEqual(expected.Row(0).ToArray(), changed.Row(0).ToArray());
        AssertClose(uncached.EmbedItems(s_texts, s_texts, s_urls).Values, changed.Values);
    }

    [Fact]
    public void Versions_that_differ_in_their_heads_share_both_towers()
    {
        using EmbeddingModel first = Rent(Version("one", headSeed: 1)), second = Rent(Version("two", headSeed: 2));
        Assert.Same(first.ItemEncoder.Both, second.ItemEncoder.Both);
        Assert.NotEqual(first.Fingerprint, second.Fingerprint);
    }

    [Fact]
    public void Without_a_folder_of_pictures_items_are_their_texts()
    {
        using EmbeddingModel model = EmbeddingModel.Load(Version("one", headSeed: null), cache: null);
        Assert.Equal(model.EmbedTexts(s_texts).Values, model.EmbedItems(s_texts, s_texts, s_urls).Values);
    }

    [Fact]
    public void A_CLIP_as_it_came_is_a_model_of_texts_alone()
    {
        using EmbeddingModel model = Rent(s_clip);
        using SentenceEncoder text = SentenceEncoder.Load(s_clip);
        Assert.Null(model.ItemEncoder.Both);
        Assert.Equal(text.Fingerprint, model.ItemEncoder.Fingerprint);
    }

    public void Dispose()
    {
        _cache.Dispose();
        _folder.Dispose();
    }
}
