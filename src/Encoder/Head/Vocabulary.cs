using System.Runtime.InteropServices;

namespace BeeFormer.Streaming.Encoder;

/// <summary>The words that a head knows, and the pairs of neighbouring words ("harry potter"), in ordinal order, with their inverse document frequencies.</summary>
public sealed class Vocabulary
{
    private const int TextsPerBlock = 64;

    // Words that stand alone or in a pair have a number; a text's words are looked up once for both.
    private readonly Dictionary<string, int> _numbers;
    private readonly int[] _columnOf; // by number; -1: in pairs only
    private readonly Dictionary<(int First, int Second), int> _pairs = [];

    internal Vocabulary(string[] words, float[] idf)
    {
        Words = words;
        Idf = idf;
        _numbers = new Dictionary<string, int>(words.Length, StringComparer.Ordinal);
        var columnOf = new List<int>(words.Length);
        for (int column = 0; column < words.Length; column++)
            if (TryDivide(words[column], out string first, out string second)) _pairs.Add((Number(first), Number(second)), column);
            else if (columnOf[Number(first)] < 0) columnOf[Number(first)] = column;
            else throw new ArgumentException($"The word '{first}' stands twice.", nameof(words));
        _columnOf = [.. columnOf];

        int Number(string word)
        {
            if (_numbers.TryAdd(word, columnOf.Count)) columnOf.Add(-1);
            return _numbers[word];
        }
    }

    public IReadOnlyList<string> Words { get; }

    /// <summary>ln((1 + texts) / (1 + texts with the word)) + 1.</summary>
    public IReadOnlyList<float> Idf { get; }

    /// <summary>The words that occur in at least <paramref name="minTexts"/> of the texts; at most <paramref name="maxWords"/>, those in most texts first.</summary>
    /// <param name="pairs">Pairs of neighbouring words fill the room that the words leave; those of one count all or none.</param>
    public static Vocabulary Of(IReadOnlyList<string> texts, int minTexts, int maxWords, bool pairs = false)
    {
        List<(string Word, int Texts)> kept = WordCounts.Words(texts, minTexts, maxWords);
        if (pairs) kept.AddRange(WordCounts.Pairs(texts, minTexts, maxWords - kept.Count));
        kept.Sort((a, b) => string.CompareOrdinal(a.Word, b.Word));
        return new Vocabulary([.. kept.Select(word => word.Word)], [.. kept.Select(word => (float)(Math.Log((1.0 + texts.Count) / (1.0 + word.Texts)) + 1))]);
    }

    /// <returns>The row of the word, −1 for a word that is not in the vocabulary.</returns>
    public int IndexOf(string word) =>
        TryDivide(word, out string first, out string second)
            ? _numbers.TryGetValue(first, out int one) && _numbers.TryGetValue(second, out int other) ? _pairs.GetValueOrDefault((one, other), -1) : -1
            : _numbers.TryGetValue(first, out int number) ? _columnOf[number] : -1;

    /// <summary>No word holds a space; a pair is two of them with a space between.</summary>
    private static bool TryDivide(string word, out string first, out string second)
    {
        int space = word.IndexOf(' ', StringComparison.Ordinal);
        (first, second) = space < 0 ? (word, "") : (word[..space], word[(space + 1)..]);
        return space >= 0;
    }

    /// <summary>t for each text: (1 + ln count) · idf of its words and pairs, rows of length 1; a text without known words has an empty row. Columns are rows of B.</summary>
    public SparseRows TfIdf(IReadOnlyList<string> texts)
    {
        var parts = new SparseRows[(texts.Count + TextsPerBlock - 1) / TextsPerBlock];
        RowBlocks.ForEach(texts.Count, TextsPerBlock, (first, end) => parts[first / TextsPerBlock] = TfIdf(texts, first, end));
        return SparseRows.Join(parts);
    }

    private SparseRows TfIdf(IReadOnlyList<string> texts, int first, int end)
    {
        var start = new int[end - first + 1];
        var columns = new List<int>();
        var values = new List<float>();
        var found = new List<int>();
        var numbers = _numbers.GetAlternateLookup<ReadOnlySpan<char>>();
        for (int text = first; text < end; text++)
        {
            found.Clear();
            int before = -1;
            var words = Encoder.Words.In(texts[text]);
            while (words.MoveNext())
            {
                int number = numbers.TryGetValue(words.Current, out int known) ? known : -1;
                if (number >= 0 && _columnOf[number] >= 0) found.Add(_columnOf[number]);
                if (number >= 0 && before >= 0 && !words.AfterBreak && _pairs.TryGetValue((before, number), out int pair)) found.Add(pair);
                before = number;
            }
            found.Sort();
            for (int n = 0, next; n < found.Count; n = next)
            {
                for (next = n + 1; next < found.Count && found[next] == found[n];) next++;
                columns.Add(found[n]);
                values.Add((1 + MathF.Log(next - n)) * Idf[found[n]]);
            }
            start[text - first + 1] = columns.Count;
            RowArithmetic.Normalize(CollectionsMarshal.AsSpan(values)[start[text - first]..]);
        }
        return new SparseRows(start, [.. columns], [.. values]);
    }
}
