using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Encoder.Tests;

public sealed class EmbeddingModelTests : IDisposable
{
    private static readonly string[] s_texts = ["red garden chair", "blue garden chair", "a red cup of tea", "tea"];
    private readonly string _folder = Directory.CreateTempSubdirectory("model-").FullName;
    private readonly SentenceEncoder _encoder = SentenceEncoder.Load(Path.Combine(Golden.Encoder, "tiny-bert", "model"));

    public void Dispose()
    {
        _encoder.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private Head ALearnedHead()
    {
        var head = Head.Create(new HeadShape(_encoder.Dimension, 24, Seed: 1), s_texts);
        return head.WithWeights(HeadTests.Outputs(_encoder.Dimension, 24, seed: 3).Values, head.WordRows.ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Saved_model_comes_back_with_the_same_vectors_and_fingerprints(bool withHead)
    {
        using var model = new EmbeddingModel(_encoder, withHead ? ALearnedHead() : null, new ItemText(), cache: null);
        model.Save(Path.Combine(_folder, "saved"));
        using var loaded = EmbeddingModel.Load(Path.Combine(_folder, "saved"), cache: null);
        Assert.Equal(model.Encoder.Fingerprint, loaded.Encoder.Fingerprint);
        Assert.Equal(model.Head?.Fingerprint, loaded.Head?.Fingerprint);
        Assert.Equal(model.Fingerprint, loaded.Fingerprint);
        Assert.Equal(model.Dimension, loaded.Dimension);
        Assert.Equal(model.EmbedTexts(s_texts).Values, loaded.EmbedTexts(s_texts).Values);
    }

    [Fact]
    public void Folder_opened_as_a_plain_encoder_gives_e_times_W()
    {
        using var model = new EmbeddingModel(_encoder, ALearnedHead(), new ItemText(), cache: null);
        model.Save(Path.Combine(_folder, "saved"));
        using var plain = SentenceEncoder.Load(Path.Combine(_folder, "saved"));
        var projected = plain.Encode(["zz"]).Values; // no known word: the head's vector is norm(e·W) as well
        RowArithmetic.Normalize(projected);
        Golden.AssertClose(model.EmbedQuery("zz"), projected, 1e-5, "norm(e·W)");
    }

    [Fact]
    public void Encoder_files_are_the_same_bytes_for_every_head()
    {
        using var model = new EmbeddingModel(_encoder, ALearnedHead(), new ItemText(), cache: null);
        model.Save(Path.Combine(_folder, "first"));
        using var loaded = EmbeddingModel.Load(Path.Combine(_folder, "first"), cache: null);
        loaded.WithHead(Head.Create(_encoder.Dimension, s_texts, seed: 9)).Save(Path.Combine(_folder, "second"));
        foreach (string file in (string[])["model.safetensors", "tokenizer.json", "config.json"])
            Assert.Equal(File.ReadAllBytes(Path.Combine(_folder, "first", file)), File.ReadAllBytes(Path.Combine(_folder, "second", file)));
        Assert.Equal(File.ReadAllText(Path.Combine(_folder, "first", "modules.json")), File.ReadAllText(Path.Combine(_folder, "second", "modules.json")));
    }

    [Fact]
    public void Fingerprint_covers_encoder_head_and_template()
    {
        using var plain = new EmbeddingModel(_encoder, null, new ItemText(), null);
        using var other = new EmbeddingModel(_encoder, null, new ItemText("{title}"), null);
        using var withHead = plain.WithHead(ALearnedHead());
        using var shorter = SentenceEncoder.Load(Path.Combine(Golden.Encoder, "tiny-bert", "model"), _encoder.MaxSequenceLength - 1);
        using var withShorter = new EmbeddingModel(shorter, null, new ItemText(), null);
        Assert.Equal(4, new[] { plain, other, withHead, withShorter }.Select(model => model.Fingerprint).Distinct().Count());
    }

    [Fact]
    public void Query_item_and_text_take_the_same_path_with_and_without_cache()
    {
        using var cache = new EncoderOutputCache(Path.Combine(_folder, "outputs"));
        using var model = new EmbeddingModel(_encoder, ALearnedHead(), new ItemText(), cache);
        var item = new ItemEvent(new ItemId("1"), "red garden", "chair", new Dictionary<string, System.Text.Json.JsonElement>(), null, true, 0);
        float[] query = model.EmbedQuery("red garden. chair");
        Golden.AssertClose(query, model.EmbedItems([item]).Values, 1e-6, "item, first time");
        Golden.AssertClose(query, model.EmbedItems([item]).Values, 1e-6, "item, from the cache");
        Assert.Equal(1, RowArithmetic.Dot(query, query), 1e-5);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Items_have_the_same_vectors_each_by_itself_whether_the_cache_knows_all_some_or_none_of_them(bool withHead)
    {
        ItemEvent[] items = [.. Enumerable.Range(0, 300).Select(n => ItemTextTests.Item($"{s_texts[n % 4]} {n % 250}", null, $$"""{"color": "{{(n % 2 == 0 ? "red" : "blue")}}"}"""))];
        using var uncached = new EmbeddingModel(_encoder, withHead ? ALearnedHead() : null, new ItemText(), null);
        float[][] plain = uncached.EmbedEach(items);

        using var cache = new EncoderOutputCache(Path.Combine(_folder, "outputs"));
        using var model = new EmbeddingModel(_encoder, withHead ? ALearnedHead() : null, new ItemText(), cache);
        model.EmbedItems(items[100..170]);
        float[][] some = model.EmbedEach(items), all = model.EmbedEach(items);
        EmbeddingMatrix together = model.EmbedItems(items);
        for (int n = 0; n < items.Length; n++)
        {
            Assert.Equal(together.Row(n).ToArray(), all[n]);
            Assert.Equal(all[n], some[n]);
            Golden.AssertClose(plain[n], all[n], 1e-6, "without a cache");
        }
        Assert.Empty(model.EmbedEach([]));
    }

    [Fact]
    public void Attributes_count_among_the_words_of_a_head_that_looks_at_them_and_nowhere_else()
    {
        ItemEvent item = ItemTextTests.Item("garden chair", null, """{"tags": ["red cup", "tea"], "size": 4}"""), bare = ItemTextTests.Item("garden chair", null, "{}");
        Head Known(bool attributes) => Head.Create(new HeadShape(_encoder.Dimension, 24, Seed: 1, Attributes: attributes), s_texts);
        using var reads = new EmbeddingModel(_encoder, Known(true), new ItemText(), null);
        using var ignores = new EmbeddingModel(_encoder, Known(false), new ItemText(), null);
        Assert.NotEqual(reads.Fingerprint, ignores.Fingerprint);
        Assert.Equal(reads.EmbedItems([bare]).Values, ignores.EmbedItems([item]).Values);
        SparseRows words = reads.Head!.TfIdf([new ItemText().WordsOf(item)]);
        Assert.Equal(["chair", "garden", "garden chair", "red", "tea"], words.Columns(0).ToArray().Select(column => reads.Head.Vocabulary.Words[column]));
        Assert.Equal(reads.Head.Apply(_encoder.Encode(["garden chair"], TextRole.Document), words).Values, reads.EmbedItems([item]).Values);
    }

    [Fact]
    public void A_model_keeps_its_template_where_it_is_saved_and_another_model_of_its_encoder_does_not_inherit_it()
    {
        using var model = new EmbeddingModel(_encoder, ALearnedHead(), new ItemText("{title}, {attributes.colour}"), cache: null);
        string own = Path.Combine(_folder, "own"), other = Path.Combine(_folder, "other");
        model.Save(own);
        using EmbeddingModel loaded = EmbeddingModel.Load(own, cache: null);
        Assert.Equal((model.Fingerprint, model.Text), (loaded.Fingerprint, loaded.Text));
        using (var anew = new EmbeddingModel(loaded.Encoder, null, new ItemText(), cache: null)) anew.Save(other);
        Assert.False(File.Exists(Path.Combine(other, "item_text.json")));
        using EmbeddingModel byDefault = EmbeddingModel.Load(other, cache: null);
        Assert.Equal(new ItemText(), byDefault.Text);
    }

    [Fact]
    public void Items_are_documents_and_what_a_user_types_is_a_query()
    {
        string folder = Path.Combine(_folder, "prompted");
        _encoder.Save(folder);
        File.WriteAllText(Path.Combine(folder, "config_sentence_transformers.json"), """{"prompts": {"query": "the ", "document": "of "}, "default_prompt_name": null}""");
        using var cache = new EncoderOutputCache(Path.Combine(_folder, "outputs"));
        using var model = EmbeddingModel.Load(folder, cache);
        using var plain = new EmbeddingModel(_encoder, null, new ItemText("{title}"), null);
        var item = new ItemEvent(new ItemId("1"), "end", null, new Dictionary<string, System.Text.Json.JsonElement>(), null, true, 0);
        float[] document = plain.EmbedTexts(["of end"]).Values;
        Golden.AssertClose(document, model.EmbedItems([item]).Values, 1e-5, "item");
        Golden.AssertClose(document, model.EmbedItems([item]).Values, 1e-5, "item from the cache");
        Golden.AssertClose(plain.EmbedTexts(["the end"]).Values, model.EmbedQuery("end"), 1e-5, "query, though the cache knows the text as a document");
    }

    [Fact]
    public void Head_of_another_dimension_is_refused() =>
        Assert.Throws<ArgumentException>(() => new EmbeddingModel(_encoder, Head.Create(_encoder.Dimension + 1, s_texts, seed: 1), new ItemText(), null));
}
