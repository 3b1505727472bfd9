namespace BeeFormer.Streaming.Encoder.Tests;

public sealed class HeadTests
{
    private const int Dimension = 37; // not a multiple of any vector width

    internal static readonly string[] Texts =
        ["red garden chair", "blue garden chair", "red tea cup", "blue tea cup and saucer", "saucer of tea", "Ω", "garden of roses and tea, tea, tea", "roses"];

    internal static EmbeddingMatrix Outputs(int rows, int dimension, int seed)
    {
        var random = new Random(seed);
        return new EmbeddingMatrix([.. Enumerable.Range(0, rows * dimension).Select(_ => random.NextSingle() - 0.5f)], dimension);
    }

    private static float[] RowOf(Head head, string word) => head.WordRows.Slice(head.Vocabulary.IndexOf(word) * head.Dimension, head.Dimension).ToArray();

    [Fact]
    public void Row_of_a_new_word_does_not_depend_on_the_vocabulary()
    {
        var small = Head.Create(Dimension, ["rose tree", "rose bush"], seed: 7);
        var large = Head.Create(Dimension, [.. Texts, "rose a1 b2", "rose c3 b2"], seed: 7);
        Assert.Equal(RowOf(small, "rose"), RowOf(large, "rose"));
        Assert.NotEqual(RowOf(small, "rose"), RowOf(Head.Create(Dimension, ["rose tree", "rose bush"], seed: 8), "rose"));
    }

    [Fact]
    public void Row_of_a_word_is_the_same_on_every_machine()
    {
        var row = new float[4];
        WordRow.Fill("garden", 1, row);
        Assert.Equal([0.18234688f, 0.0384277664f, 0.126991346f, 0.0380841866f], row);
    }

    [Fact]
    public void Rows_of_words_have_mean_0_and_variance_1_over_D_and_are_nearly_orthogonal()
    {
        var (a, b) = (new float[8192], new float[8192]);
        WordRow.Fill("tea", 1, a);
        WordRow.Fill("cup", 1, b);
        Assert.Equal(0, a.Average(), 0.001);
        Assert.Equal(1, RowArithmetic.Dot(a, a), 0.05);
        Assert.Equal(0, RowArithmetic.Dot(a, b), 0.05);
    }

    [Fact]
    public void TfIdf_row_holds_the_weights_of_the_definition()
    {
        var vocabulary = Vocabulary.Of(["tea cup", "tea tea pot", "pot lid", "lone"], minTexts: 2, maxWords: 100);
        Assert.Equal(["pot", "tea"], vocabulary.Words);
        double idf = Math.Log(5.0 / 3) + 1, tea = (1 + Math.Log(2)) * idf, length = Math.Sqrt(tea * tea + idf * idf);
        var rows = vocabulary.TfIdf(["tea tea pot", "unknown words"]);
        Assert.Equal([0, 1], rows.Columns(0).ToArray());
        Assert.Equal(idf / length, rows.Values(0)[0], 1e-6);
        Assert.Equal(tea / length, rows.Values(0)[1], 1e-6);
        Assert.Equal(0, rows.Columns(1).Length);
    }

    [Fact]
    public void Bounded_vocabulary_keeps_the_words_of_most_texts()
    {
        var vocabulary = Vocabulary.Of(["aa bb cc", "aa bb cc", "aa cc"], minTexts: 2, maxWords: 2);
        Assert.Equal(["aa", "cc"], vocabulary.Words);
    }

    [Fact]
    public void Vector_is_the_formula_and_has_length_1()
    {
        var head = Head.Create(new HeadShape(3, 5, Seed: 2, Alpha: 0.25f), ["tea cup", "tea pot"]);
        var e = new EmbeddingMatrix([3, 0, 4], 3);
        var vector = head.Apply(e, ["tea"]).Row(0).ToArray();
        var y = RowOf(head, "tea");
        (y[0], y[2]) = (y[0] + 0.25f * 0.6f, y[2] + 0.25f * 0.8f);
        RowArithmetic.Normalize(y);
        Golden.AssertClose(y, vector, 1e-6, "vector");
        Assert.Equal(1, RowArithmetic.Dot(vector, vector), 1e-5);
    }

    [Fact]
    public void Vector_does_not_depend_on_the_batch()
    {
        var head = Head.Create(Dimension, Texts, seed: 1);
        var e = Outputs(Texts.Length, Dimension, seed: 5);
        var together = head.Apply(e, Texts);
        for (int row = 0; row < Texts.Length; row++)
            Assert.Equal(together.Row(row).ToArray(), head.Apply(new EmbeddingMatrix(e.Row(row).ToArray(), Dimension), [Texts[row]]).Values);
    }

    [Fact]
    public void Text_without_words_and_with_a_zero_embedding_gets_a_direction_of_its_own()
    {
        var vectors = Head.Create(Dimension, Texts, seed: 1).Apply(EmbeddingMatrix.Zeros(2, Dimension), ["", "?!"]);
        Assert.All(vectors.Values, value => Assert.True(float.IsFinite(value)));
        Assert.Equal(1, RowArithmetic.Dot(vectors.Row(0), vectors.Row(0)), 1e-5);
        Assert.Equal(vectors.Row(0).ToArray(), vectors.Row(1).ToArray());
    }

    [Fact]
    public void Embedding_that_is_not_finite_is_refused()
    {
        var e = EmbeddingMatrix.Zeros(1, Dimension);
        e.Values[3] = float.NaN;
        Assert.ThrowsAny<Exception>(() => Head.Create(Dimension, Texts, seed: 1).Apply(e, ["tea"]));
    }

    [Fact]
    public void Newer_catalogue_keeps_learned_rows_and_gives_new_words_their_hash_rows()
    {
        var head = Head.Create(Dimension, Texts, seed: 1);
        var learned = head.WithWeights([.. head.Projection.ToArray().Select(v => v + 1)], [.. head.WordRows.ToArray().Select(v => v * 3)]);
        string[] newer = [.. Texts, "violin bow", "violin case"];
        var next = learned.WithTexts(newer);
        Assert.Equal(learned.Projection.ToArray(), next.Projection.ToArray());
        Assert.Equal(RowOf(learned, "tea"), RowOf(next, "tea"));
        Assert.Equal(RowOf(Head.Create(Dimension, newer, seed: 1), "violin"), RowOf(next, "violin"));
        Assert.NotEqual(learned.Vocabulary.Idf[learned.Vocabulary.IndexOf("tea")], next.Vocabulary.Idf[next.Vocabulary.IndexOf("tea")]);
        Assert.NotEqual(learned.Fingerprint, next.Fingerprint);
    }
}
