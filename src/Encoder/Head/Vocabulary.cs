using System.Runtime.InteropServices;

namespace BeeFormer.Streaming.Encoder;

/// <summary>The words that a head knows, and the pairs of neighbouring words ("harry potter"), in ordinal order, with their inverse document frequencies.</summary>
public sealed class Vocabulary
{
    private const int TextsPerBlock = 64;

    private readonly Dictionary<string, int> _index;
    private readonly bool _hasPairs;

    internal Vocabulary(string[] words, float[] idf)
    {
        Words = words;
        Idf = idf;
        // No word holds a space.
        _hasPairs = Array.Exists(words, word => word.Contains(' ', StringComparison.Ordinal));
        _index = new Dictionary<string, int>(words.Length, StringComparer.Ordinal);
        for (int i = 0; i < words.Length; i++) _index.Add(words[i], i);
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
    public int IndexOf(string word) => _index.GetValueOrDefault(word, -1);

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
        var lookup = _index.GetAlternateLookup<ReadOnlySpan<char>>();
        for (int text = first; text < end; text++)
        {
            found.Clear();
            string lowered = texts[text].ToLowerInvariant(); // once for both walks
            foreach (var word in Encoder.Words.In(lowered))
                if (lookup.TryGetValue(word, out int column)) found.Add(column);
            if (_hasPairs)
                foreach (var pair in Encoder.Words.PairsIn(lowered))
                    if (lookup.TryGetValue(pair, out int column)) found.Add(column);
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
