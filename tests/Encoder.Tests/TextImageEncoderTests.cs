using BeeFormer.Streaming.Encoder.Tests.Images;
using SkiaSharp;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Encoder.Tests;

public sealed class TextImageEncoderTests
{
    private static readonly string[] s_texts = ["a red chair", "a cup of tea", "tea"];
    private static readonly string s_clip = Path.Combine(Golden.Repository, "tests", "golden", "encoder", "tiny-clip", "model");

    private static byte[]? Picture(int row) => row == 1 ? null : ImageFiles.Encode(SKEncodedImageFormat.Png, 40 + row, 50);

    private static TextImageEncoder Trained()
    {
        using TextImageEncoder encoder = TextImageEncoder.Load(s_clip);
        TextImageEncoder trained = encoder.Clone();
        using IDisposable still = no_grad();
        using DisposeScope scope = NewDisposeScope();
        trained.LogWeight.copy_(tensor(new[] { 0.7f }));
        Tensor weight = trained.Image.Parameters[0].Value;
        weight.copy_(weight.neg());
        return trained;
    }

    [Fact]
    public void Saved_encoder_comes_back_with_both_towers_weight_vectors_and_fingerprint()
    {
        using var saved = new TemporaryFolder();
        using TextImageEncoder trained = Trained();
        trained.Save(saved.Path);
        using TextImageEncoder loaded = TextImageEncoder.Load(saved.Path, arithmetic: EncoderArithmetic.Float32), fresh = TextImageEncoder.Load(s_clip);
        Assert.Equal(trained.Weight, loaded.Weight);
        Assert.Equal(trained.Fingerprint, loaded.Fingerprint);
        Assert.NotEqual(fresh.Fingerprint, loaded.Fingerprint);
        Assert.Equal(trained.Encode(s_texts, Picture).Values, loaded.Encode(s_texts, Picture).Values);
    }

    [Fact]
    public void Weight_alone_changes_the_fingerprint_which_is_never_that_of_the_text_tower()
    {
        using TextImageEncoder encoder = TextImageEncoder.Load(s_clip), other = encoder.Clone();
        Assert.Equal(1, encoder.Weight);
        Assert.Equal(encoder.Fingerprint, other.Fingerprint);
        Assert.NotEqual(encoder.Text.Fingerprint, encoder.Fingerprint);
        using IDisposable still = no_grad();
        using DisposeScope scope = NewDisposeScope();
        other.LogWeight.copy_(tensor(new[] { 0.1f }));
        Assert.NotEqual(encoder.Fingerprint, other.Fingerprint);
    }

    [Fact]
    public void Encode_gives_what_Combine_gives()
    {
        using TextImageEncoder encoder = Trained();
        using IDisposable still = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor texts = tensor(encoder.Text.Encode(s_texts).Values, [3, encoder.Dimension]);
        Tensor images = tensor(encoder.Image.Encode([Picture(0)!, Picture(2)!]).Values, [2, encoder.Dimension]);
        float[] combined = ImageGoldenTests.Values(encoder.Combine(texts, images, tensor(new[] { 0L, 2L })));
        Golden.AssertClose(combined, encoder.Encode(s_texts, Picture).Values, 1e-5, "combined");
    }

    [Fact]
    public void Text_without_a_picture_or_with_a_broken_one_stands_alone()
    {
        using TextImageEncoder encoder = TextImageEncoder.Load(s_clip);
        var refused = new List<(int Row, string Why)>();
        EmbeddingMatrix mixed = encoder.Encode(s_texts, row => row == 2 ? "no image"u8.ToArray() : Picture(row), refused: (row, why) => refused.Add((row, why)));
        EmbeddingMatrix alone = encoder.Encode(s_texts, _ => null);
        Assert.Equal(2, Assert.Single(refused).Row);
        Assert.Equal(alone.Row(1).ToArray(), mixed.Row(1).ToArray());
        Assert.Equal(alone.Row(2).ToArray(), mixed.Row(2).ToArray());
        Assert.NotEqual(alone.Row(0).ToArray(), mixed.Row(0).ToArray());
    }

    [Theory]
    [InlineData("1e9")]
    [InlineData("\"1\"")]
    public void Weight_that_is_no_finite_number_is_refused_by_file_and_field(string weight)
    {
        using var saved = new TemporaryFolder();
        using (TextImageEncoder encoder = TextImageEncoder.Load(s_clip)) encoder.Save(saved.Path);
        string file = Path.Combine(saved.Path, "images", "image_weight.json");
        File.WriteAllText(file, $$"""{ "log_weight": {{weight}} }""");
        string message = Assert.Throws<InvalidDataException>(() => TextImageEncoder.Load(saved.Path).Dispose()).Message;
        Assert.Contains(file, message, StringComparison.Ordinal);
        Assert.Contains("log_weight", message, StringComparison.Ordinal);
    }
}
