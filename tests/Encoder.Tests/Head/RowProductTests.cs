namespace BeeFormer.Streaming.Encoder.Tests;

public sealed class RowProductTests
{
    [Theory]
    [InlineData(1, 5, 3)]
    [InlineData(4, 384, 384)]
    [InlineData(7, 33, 100)]
    [InlineData(64, 48, 49)]
    [InlineData(9, 16, 16)]
    public void Every_row_is_bit_for_bit_what_it_is_alone(int rows, int inner, int columns)
    {
        var random = new Random(rows);
        float[] factors = Numbers(rows * inner), matrix = Numbers(inner * columns), sums = new float[rows * columns];
        RowProduct.Fill(factors, inner, matrix, sums);
        for (int row = 0; row < rows; row++)
        {
            var alone = new float[columns];
            for (int i = 0; i < inner; i++) RowArithmetic.AddScaled(matrix.AsSpan(i * columns, columns), factors[row * inner + i], alone);
            Assert.Equal(alone, sums[(row * columns)..((row + 1) * columns)]);
        }

        float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }

    [Fact]
    public void Words_of_many_texts_are_those_of_each()
    {
        string[] texts = [.. Enumerable.Range(0, 300).Select(n => n % 7 == 0 ? "" : $"red lamp {n % 11} lamp number{n % 5} of house{n % 13}")];
        var vocabulary = Vocabulary.Of(texts, minTexts: 2, maxWords: 1000, pairs: true);
        var together = vocabulary.TfIdf(texts);
        Assert.Equal(texts.Length, together.Count);
        for (int row = 0; row < texts.Length; row++)
        {
            var alone = vocabulary.TfIdf([texts[row]]);
            Assert.Equal(alone.Columns(0).ToArray(), together.Columns(row).ToArray());
            Assert.Equal(alone.Values(0).ToArray(), together.Values(row).ToArray());
        }
    }

    [Fact]
    public void Number_that_is_not_finite_is_the_same_error_among_many_rows_as_alone()
    {
        string[] texts = [.. Enumerable.Range(0, 200).Select(n => $"lamp {n}")];
        var head = Head.Create(4, texts, seed: 1);
        foreach (int rows in (int[])[1, 200])
        {
            var outputs = EmbeddingMatrix.Zeros(rows, 4);
            outputs.Row(rows - 1)[2] = float.NaN;
            Assert.Throws<ArgumentException>(() => head.Apply(outputs, texts[..rows]));
        }
    }
}
