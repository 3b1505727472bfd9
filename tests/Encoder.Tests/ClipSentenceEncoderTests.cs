using BeeFormer.Streaming.Encoder.Tests.Images;
using TorchSharp;

namespace BeeFormer.Streaming.Encoder.Tests;

/// <summary>The text tower of a whole CLIP as a sentence encoder.</summary>
public class ClipSentenceEncoderTests
{
    private const string Normalize = """, { "idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize" }""";

    private static string Recorded
    {
        get
        {
            string folder = Path.Combine(Golden.Encoder, "tiny-clip");
            if (!Directory.Exists(folder)) Assert.Skip($"{folder} is not among the recorded results.");
            return folder;
        }
    }

    private static string[] Texts => [.. Golden.Lines(Path.Combine(Recorded, "inputs.jsonl")).Where(l => l.TryGetProperty("text", out _)).Select(Golden.Text)];

    private static EmbeddingMatrix Expected => Golden.Matrix(Path.Combine(Recorded, "expected.safetensors"), "text_embeds");

    /// <summary>The folder of version 6, and the same model in the older layout.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public void Text_embeddings_equal_those_of_Python(bool older)
    {
        using var folder = new TemporaryFolder();
        if (older) ImageEncoderTests.WriteOlder(folder, "");
        using SentenceEncoder encoder = SentenceEncoder.Load(older ? folder.Path : Path.Combine(Recorded, "model"));
        Assert.Equal((20, 24), (encoder.Dimension, encoder.MaxSequenceLength));
        Golden.AssertClose(Expected.Values, encoder.Encode(Texts).Values, 1e-5, "text embeddings");
        Assert.All(encoder.Parameters, p => Assert.StartsWith("text_", p.Name, StringComparison.Ordinal));
    }

    [Fact]
    public void A_normalize_module_is_followed()
    {
        using var folder = new TemporaryFolder();
        ImageEncoderTests.WriteOlder(folder, Normalize);
        using SentenceEncoder encoder = SentenceEncoder.Load(folder.Path);
        EmbeddingMatrix actual = encoder.Encode(Texts);
        for (int i = 0; i < actual.Rows; i++)
        {
            Assert.Equal(1, actual.Row(i).ToArray().Sum(v => (double)v * v), 1e-5);
            Assert.Equal(1, Golden.Cosine(Expected.Row(i), actual.Row(i)), 1e-5);
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public void What_is_saved_still_holds_both_towers(bool older)
    {
        using TemporaryFolder folder = new(), saved = new();
        if (older) ImageEncoderTests.WriteOlder(folder, Normalize);
        string source = older ? folder.Path : Path.Combine(Recorded, "model"), weights = older ? "0_CLIPModel/model.safetensors" : "model.safetensors";
        using SentenceEncoder encoder = SentenceEncoder.Load(source), trained = encoder.Clone();
        encoder.Save(saved.Path);
        Assert.Equal(File.ReadAllBytes(Path.Combine(source, weights)), File.ReadAllBytes(saved.File(weights)));
        using (SentenceEncoder again = SentenceEncoder.Load(saved.Path)) Assert.Equal(encoder.Fingerprint, again.Fingerprint);

        using (torch.no_grad())
            foreach ((_, torch.Tensor value) in trained.Parameters) value.neg_();
        trained.Save(saved.Path);
        using SentenceEncoder changed = SentenceEncoder.Load(saved.Path);
        Assert.NotEqual(encoder.Fingerprint, changed.Fingerprint);
        using ImageEncoder before = ImageEncoder.Load(source), after = ImageEncoder.Load(saved.Path);
        Assert.Equal(before.Fingerprint, after.Fingerprint);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void A_head_can_be_learned_on_it(bool older)
    {
        using TemporaryFolder folder = new(), saved = new();
        if (older) ImageEncoderTests.WriteOlder(folder, "");
        using SentenceEncoder encoder = SentenceEncoder.Load(older ? folder.Path : Path.Combine(Recorded, "model"));
        using var model = new EmbeddingModel(encoder, Head.Create(new HeadShape(encoder.Dimension, 24, Seed: 1), Texts), new ItemText(), cache: null);
        model.Save(saved.Path);
        using var loaded = EmbeddingModel.Load(saved.Path, cache: null);
        Assert.Equal(model.Fingerprint, loaded.Fingerprint);
        Assert.Equal(model.EmbedTexts(Texts).Values, loaded.EmbedTexts(Texts).Values);
    }

    [Fact]
    public void A_pooling_after_a_clip_is_refused()
    {
        using var folder = new TemporaryFolder();
        ImageEncoderTests.WriteOlder(folder, """, { "idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling" }""");
        Directory.CreateDirectory(folder.File("1_Pooling"));
        File.WriteAllText(folder.File("1_Pooling/config.json"), """{ "word_embedding_dimension": 20, "pooling_mode_mean_tokens": true }""");
        Assert.Contains("must not be Pooling", Assert.Throws<InvalidDataException>(() => SentenceEncoder.Load(folder.Path).Dispose()).Message, StringComparison.Ordinal);
    }
}
