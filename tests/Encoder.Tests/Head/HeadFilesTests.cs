namespace BeeFormer.Streaming.Encoder.Tests;

public sealed class HeadFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("head-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private const string SecondFormat = "f1d0c4b7ab3061b3a90ae9fa3781a7dc7afef5165d583e16a5ff7769886a1083";

    private string Json => Path.Combine(_folder, "head", "head.json");

    private Head Saved()
    {
        var head = Head.Create(new HeadShape(6, 9, Seed: -3, Alpha: 0.3f, MinTexts: 1), HeadTests.Texts);
        head.Save(_folder);
        return head;
    }

    [Fact]
    public void Saved_head_comes_back_the_same()
    {
        var head = Saved();
        var loaded = Head.Load(_folder);
        Assert.Equal(head.Fingerprint, loaded.Fingerprint);
        Assert.Equal(head.Shape, loaded.Shape);
        var e = HeadTests.Outputs(HeadTests.Texts.Length, 6, seed: 1);
        Assert.Equal(head.Apply(e, HeadTests.Texts).Values, loaded.Apply(e, HeadTests.Texts).Values);
    }

    [Fact]
    public void Fingerprint_covers_alpha_and_weights()
    {
        var head = Head.Create(new HeadShape(2, 2, Seed: 1), HeadTests.Texts);
        var other = Head.Create(new HeadShape(2, 2, Seed: 1, Alpha: 0.6f), HeadTests.Texts);
        Assert.NotEqual(head.Fingerprint, other.Fingerprint);
        float[] rows = head.WordRows.ToArray();
        rows[^1] += 1e-3f;
        Assert.NotEqual(head.Fingerprint, head.WithWeights(head.Projection.ToArray(), rows).Fingerprint);
    }

    [Theory]
    [InlineData("\"format\": 3", "\"format\": 4")]
    [InlineData("\"dimension\": 9", "\"dimension\": 10")]
    [InlineData("\"encoder_dimension\": 6", "\"encoder_dimension\": 2000000000")]
    [InlineData("\"dense\": \"0_Dense\"", "\"dense\": \"../0_Dense\"")]
    [InlineData("\"max_words\": 65536", "\"max_words\": -1")]
    [InlineData("\"tea\"", "\"aaa\"")]
    [InlineData("\"word_rule\": \"", "\"word_rule\": \"x")]
    [InlineData("{", "")]
    public void Damaged_description_is_refused_with_the_name_of_the_file(string what, string by)
    {
        Saved();
        string text = File.ReadAllText(Json);
        int at = text.IndexOf(what, StringComparison.Ordinal);
        Assert.True(at >= 0, $"the description holds no {what}");
        File.WriteAllText(Json, text[..at] + by + text[(at + what.Length)..]);
        var refusal = Assert.Throws<InvalidDataException>(() => Head.Load(_folder));
        Assert.Contains(".json", refusal.Message + refusal.InnerException?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_head_of_the_first_format_has_no_pairs_and_keeps_its_name()
    {
        var head = Head.Create(new HeadShape(6, 9, Seed: 1, Pairs: false, Attributes: false), HeadTests.Texts);
        head.Save(_folder);
        string text = File.ReadAllText(Json);
        File.WriteAllText(Json, text.Replace("\"format\": 3", "\"format\": 1", StringComparison.Ordinal).Replace("\"pairs\": false,", "", StringComparison.Ordinal).Replace("\"attributes\": false,", "", StringComparison.Ordinal));
        Head loaded = Head.Load(_folder);
        Assert.DoesNotContain(loaded.WithTexts([.. HeadTests.Texts, "garden chair"]).Vocabulary.Words, word => word.Contains(' ', StringComparison.Ordinal));
        Assert.Equal(head.Fingerprint, loaded.Fingerprint);
    }

    [Fact]
    public void A_head_of_the_second_format_does_not_look_at_attributes_and_keeps_its_name()
    {
        Head.Create(new HeadShape(6, 9, Seed: 1, Attributes: false), HeadTests.Texts).Save(_folder);
        File.WriteAllText(Json, File.ReadAllText(Json).Replace("\"format\": 3", "\"format\": 2", StringComparison.Ordinal).Replace("\"attributes\": false,", "", StringComparison.Ordinal));
        Head loaded = Head.Load(_folder);
        Assert.False(loaded.Shape.Attributes);
        Assert.Equal(SecondFormat, loaded.Fingerprint.Value); // as a program of that time computed it
        loaded.Save(_folder);
        Assert.Equal(SecondFormat, Head.Load(_folder).Fingerprint.Value);
        Assert.NotEqual(SecondFormat, Head.Create(new HeadShape(6, 9, Seed: 1), HeadTests.Texts).Fingerprint.Value);
    }

    [Theory]
    [InlineData("head/head.safetensors")]
    [InlineData("0_Dense/model.safetensors")]
    public void Truncated_weights_are_refused(string file)
    {
        Saved();
        string path = Path.Combine(_folder, file);
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^5]);
        Assert.Throws<InvalidDataException>(() => Head.Load(_folder));
    }
}
