using System.Text.Json;

namespace BeeFormer.Streaming.Encoder.Tests;

/// <summary>all-MiniLM-L6-v2, with the real weights where they lie beside the repository.</summary>
public class MiniLmGoldenTests
{
    private static readonly string recorded = Path.Combine(Golden.Encoder, "minilm");

    internal static string[] Texts() => [.. Golden.Lines(Path.Combine(recorded, "texts.jsonl")).Select(Golden.Text)];

    [Fact]
    public void Float32_weights_give_the_embeddings_of_Python()
    {
        using SentenceEncoder encoder = SentenceEncoder.Load(Golden.MiniLm());
        AssertEmbeddings(encoder, Texts(), Golden.Matrix(Path.Combine(recorded, "embeddings.safetensors"), "embeddings"));
    }

    [Theory, InlineData(16), InlineData(64), InlineData(512)]
    public void Other_lengths_give_ids_and_embeddings_of_Python(int length)
    {
        using SentenceEncoder encoder = SentenceEncoder.Load(Golden.MiniLm(), length);
        string[] all = Texts();
        List<JsonElement> tokens = Golden.Lines(Path.Combine(recorded, $"tokens-{length}.jsonl"));
        string[] texts = [.. tokens.Select(t => all[t.GetProperty("id").GetInt32()])];
        for (int i = 0; i < texts.Length; i++) Assert.Equal(Golden.Ids(tokens[i]), encoder.Tokenize(texts[i]));
        AssertEmbeddings(encoder, texts, Golden.Matrix(Path.Combine(recorded, $"embeddings-{length}.safetensors"), "embeddings"));
    }

    internal static void AssertEmbeddings(SentenceEncoder encoder, string[] texts, EmbeddingMatrix expected)
    {
        EmbeddingMatrix actual = encoder.Encode(texts);
        Golden.AssertClose(expected.Values, actual.Values, 1e-5, "embeddings");
        for (int i = 0; i < texts.Length; i++) Assert.True(Golden.Cosine(expected.Row(i), actual.Row(i)) >= 0.9999, texts[i]);
    }
}
