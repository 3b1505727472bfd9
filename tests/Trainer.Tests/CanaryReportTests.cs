using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class CanaryReportTests
{
    private static readonly string[] Texts = TinyEncoder.Texts(140);

    [Fact]
    public void A_model_of_texts_is_sane()
    {
        CanaryReport report = Of(Embed);
        Assert.Null(report.Problem(new TrainingPolicy()));
        Assert.InRange(report.Found, report.Shortened * 3 / 4, report.Shortened);
        Assert.Equal(1, report.ShortestNorm, 1e-4);
        Assert.Equal(1, report.LongestNorm, 1e-4);
    }

    [Fact]
    public void Vectors_that_have_nothing_to_do_with_the_text_are_noticed()
    {
        var random = new Random(1);
        CanaryReport report = Of(texts => new EmbeddingMatrix([.. Enumerable.Range(0, texts.Count * 16).Select(_ => random.NextSingle() - 0.5f)], 16));
        Assert.Contains("have their own item near them", report.Problem(new TrainingPolicy()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(0f)]
    public void A_text_of_the_policy_without_a_sound_vector_is_named(float value)
    {
        CanaryReport report = Of(texts =>
        {
            EmbeddingMatrix vectors = Embed(texts);
            for (int n = 0; n < texts.Count; n++)
                if (texts[n] == "sold out") vectors.Row(n).Fill(value);
            return vectors;
        }, new TrainingPolicy { CanaryTexts = ["sold out"] });
        Assert.Contains("\"sold out\"", report.Problem(new TrainingPolicy()), StringComparison.Ordinal);
        Assert.Equal("sold out", (string?)report.ToJson()["broken"]);
        Assert.NotEmpty(report.ToJson().ToJsonString());
    }

    private static CanaryReport Of(Func<IReadOnlyList<string>, EmbeddingMatrix> embed, TrainingPolicy? policy = null) => CanaryReport.Of((texts, _) => embed(texts), embed(Texts), Texts, Texts, policy ?? new TrainingPolicy());

    private static EmbeddingMatrix Embed(IReadOnlyList<string> texts)
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        using var model = new EmbeddingModel(encoder, null, new ItemText(), null);
        return model.EmbedTexts(texts, progress: null, TestContext.Current.CancellationToken);
    }
}
