namespace BeeFormer.Streaming.Encoder.Tests;

public sealed class WordCountsTests
{
    private static readonly string[] Texts = [.. Enumerable.Range(0, 400).Select(n => $"w{n % 7}x w{n % 11}x w{n % 13}x w{n % 7}x w{n % 11}x n{n / 2}x")];

    [Theory]
    [InlineData(2, 1_000_000)]
    [InlineData(5, 1_000_000)]
    [InlineData(2, 150)]
    [InlineData(2, 20)]
    [InlineData(2, 0)]
    public void Pairs_have_the_counts_of_plain_counting_and_one_count_is_taken_whole_or_not_at_all(int minTexts, int maxPairs)
    {
        Dictionary<string, int> all = Texts.SelectMany(PairsOf).CountBy(pair => pair).ToDictionary();
        int least = Enumerable.Range(minTexts, Texts.Length).First(count => all.Values.Count(texts => texts >= count) <= maxPairs);
        Assert.Equal(all.Where(pair => pair.Value >= least).Select(pair => (pair.Key, pair.Value)).Order(), WordCounts.Pairs(Texts, minTexts, maxPairs).Order());
    }

    [Fact]
    public void Pairs_take_the_room_that_words_leave()
    {
        string[] texts = ["harry potter and stone", "harry potter and chamber", "dirty harry"];
        Assert.Equal(["and", "harry", "harry potter", "potter", "potter and"], Vocabulary.Of(texts, minTexts: 2, maxWords: 5, pairs: true).Words);
        Assert.Equal(["and", "harry", "potter"], Vocabulary.Of(texts, minTexts: 2, maxWords: 4, pairs: true).Words);
        Assert.Equal(["and", "harry", "potter"], Vocabulary.Of(texts, minTexts: 2, maxWords: 5).Words);
    }

    [Fact]
    public void A_pair_weighs_like_a_word_in_the_rows_of_texts()
    {
        string[] texts = ["harry potter", "harry potter", "harry", "stone"];
        var vocabulary = Vocabulary.Of(texts, minTexts: 2, maxWords: 10, pairs: true);
        SparseRows rows = vocabulary.TfIdf(["harry potter", "potter harry"]);
        Assert.Equal(["harry", "harry potter", "potter"], rows.Columns(0).ToArray().Select(column => vocabulary.Words[column]));
        Assert.Equal(rows.Values(0)[2], rows.Values(0)[1], 1e-6f); // both in two of four texts
        Assert.Equal(["harry", "potter"], rows.Columns(1).ToArray().Select(column => vocabulary.Words[column]));
    }

    [Theory]
    [InlineData("harry, POTTER", true)]
    [InlineData("harry a potter", true)] // a single letter is no word, and no neighbour either
    [InlineData("harry\n\npotter", true)]
    [InlineData("harry \uFFFF potter", false)]
    [InlineData("harry stone potter", false)]
    [InlineData("potter harry", false)]
    public void A_pair_is_found_where_its_words_are_neighbours(string text, bool together)
    {
        var vocabulary = new Vocabulary(["harry", "harry potter", "potter stone"], [1, 1, 1]);
        Assert.Equal(together ? [0, 1] : [0], vocabulary.TfIdf([text]).Columns(0).ToArray());
    }

    [Fact]
    public void Every_entry_is_found_by_its_name_and_words_that_stand_in_pairs_alone_are_none()
    {
        var vocabulary = new Vocabulary(["chair", "harry potter", "potter stone"], [1, 1, 1]);
        Assert.Equal([0, 1, 2], vocabulary.Words.Select(vocabulary.IndexOf));
        Assert.All(["harry", "potter", "stone", "chair harry", "potter harry", "", " ", "harry potter stone"], word => Assert.Equal(-1, vocabulary.IndexOf(word)));
        Assert.Equal([1, 2], vocabulary.TfIdf(["harry potter stone"]).Columns(0).ToArray());
        Assert.Throws<ArgumentException>(() => new Vocabulary(["chair", "chair"], [1, 1]));
        Assert.Throws<ArgumentException>(() => new Vocabulary(["harry potter", "harry potter"], [1, 1]));
    }

    private static IEnumerable<string> PairsOf(string text)
    {
        string[] words = text.Split(' ');
        return words.Zip(words.Skip(1), (first, second) => $"{first} {second}").Distinct();
    }
}
