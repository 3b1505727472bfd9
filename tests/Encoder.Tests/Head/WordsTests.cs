using System.Text;
using FsCheck.Xunit;

namespace BeeFormer.Streaming.Encoder.Tests;

public sealed class WordsTests
{
    [Theory]
    [InlineData("The Hunger-Games, #1", "the|hunger|games")]
    [InlineData("don't PANIC: 42 reasons", "don|panic|42|reasons")]
    [InlineData("Čapek ŽLUTÝ kůň 東京タワー", "čapek|žlutý|kůň|東京タワー")]
    [InlineData("e\u0301te\u0301 𝒜𝒷 x", "e\u0301te\u0301|𝒜𝒷")]
    [InlineData("\u0301\u0301 a b \ud800c", "")]
    public void Words_are_lower_cased_runs_of_letters_and_digits_of_two_or_more(string text, string expected)
    {
        var words = In(text);
        Assert.Equal(expected.Split('|', StringSplitOptions.RemoveEmptyEntries), words);
    }

    [Theory]
    [InlineData("The Hunger-Games, #1: hunger", "the hunger|hunger games|games hunger")]
    [InlineData("one", "")]
    [InlineData("x y one z", "")]
    [InlineData("", "")]
    [InlineData("tin cup\uFFFFdark red\uFFFFsmall", "tin cup|dark red")]
    [InlineData("tin\uFFFF x \uFFFF, cup", "")]
    [InlineData("\uFFFFtin cup\uFFFF", "tin cup")]
    public void Pairs_are_neighbouring_words_whatever_separates_them_but_a_break(string text, string expected) =>
        Assert.Equal(expected.Split('|', StringSplitOptions.RemoveEmptyEntries), PairsIn(text));

    [Property]
    public void Pairs_of_any_text_are_its_words_two_by_two(string? text)
    {
        text = (text ?? "").Replace(Words.Break, ' ');
        List<string> words = In(text);
        Assert.Equal(words.Zip(words.Skip(1), (first, second) => $"{first} {second}"), PairsIn(text));
    }

    [Fact]
    public void Run_longer_than_the_bound_is_skipped()
    {
        string longest = new('a', Words.MaxLength);
        Assert.Equal([longest, "cd"], In($"{longest} {longest}b cd"));
    }

    [Property]
    public void Any_text_gives_words_that_are_their_own_words(string? text)
    {
        foreach (string word in In(text ?? ""))
        {
            Assert.InRange(word.Length, 2, Words.MaxLength);
            Assert.Equal([word], In(word));
            Assert.DoesNotContain('\n', word);
            Assert.InRange(Encoding.UTF8.GetByteCount(word), 2, 3 * Words.MaxLength);
        }
    }

    internal static List<string> In(string text)
    {
        var words = new List<string>();
        foreach (var word in Words.In(text)) words.Add(word.ToString());
        return words;
    }

    internal static List<string> PairsIn(string text)
    {
        var pairs = new List<string>();
        foreach (var pair in Words.PairsIn(text)) pairs.Add(pair.ToString());
        return pairs;
    }
}
