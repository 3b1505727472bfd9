using System.Runtime.InteropServices;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// In how many texts each word stands, and each pair of neighbouring words. Long texts have far more pairs than words, most of them in one text alone. So pairs are first counted by
/// hash in a table of fixed size, which never counts too few; only those that may reach the count asked for are then counted by name, and memory stays bounded whatever the catalogue.
/// </summary>
internal static class WordCounts
{
    private const int Slots = 1 << 22;

    /// <summary>The words that occur in at least <paramref name="minTexts"/> of the texts; at most <paramref name="maxWords"/>, those in most texts first, then by name.</summary>
    public static List<(string Word, int Texts)> Words(IReadOnlyList<string> texts, int minTexts, int maxWords)
    {
        var counts = new Counts();
        for (int text = 0; text < texts.Count; text++)
            foreach (var word in Encoder.Words.In(texts[text])) counts.Add(word, text);
        return [.. counts.AtLeast(minTexts).OrderByDescending(word => word.Texts).ThenBy(word => word.Word, StringComparer.Ordinal).Take(maxWords)];
    }

    /// <summary>Pairs in at least <paramref name="minTexts"/> texts; where more than <paramref name="maxPairs"/> are, the least count that is taken rises until they fit: no pair is preferred to another of the same count.</summary>
    public static List<(string Pair, int Texts)> Pairs(IReadOnlyList<string> texts, int minTexts, int maxPairs)
    {
        int[] hashed = HashedCounts(texts);
        int least = LeastCount(hashed, minTexts, maxPairs);
        var counts = new Counts();
        for (int text = 0; text < texts.Count; text++)
            foreach (var pair in Encoder.Words.PairsIn(texts[text]))
                if (hashed[Slot(pair)] >= least) counts.Add(pair, text);
        List<(string Pair, int Texts)> pairs = [.. counts.AtLeast(least)];
        while (pairs.Count > maxPairs)
        {
            int fewest = pairs.Min(pair => pair.Texts);
            pairs.RemoveAll(pair => pair.Texts == fewest);
        }
        return pairs;
    }

    private static int[] HashedCounts(IReadOnlyList<string> texts)
    {
        var (counts, last) = (new int[Slots], new int[Slots]);
        for (int text = 0; text < texts.Count; text++)
            foreach (var pair in Encoder.Words.PairsIn(texts[text]))
            {
                int slot = Slot(pair);
                if (last[slot] == text + 1) continue;
                last[slot] = text + 1;
                counts[slot]++;
            }
        return counts;
    }

    /// <summary>Where more slots than four times the pairs wanted reach a count, pairs of that count would not fit in the end (or only a few of them), and are not counted by name.</summary>
    private static int LeastCount(int[] hashed, int minTexts, int maxPairs)
    {
        var slotsOf = new Dictionary<int, int>();
        foreach (int count in hashed)
            if (count >= minTexts) CollectionsMarshal.GetValueRefOrAddDefault(slotsOf, count, out _)++;
        int least = minTexts;
        long reached = slotsOf.Values.Sum(slots => (long)slots);
        foreach ((int count, int slots) in slotsOf.OrderBy(entry => entry.Key))
        {
            if (reached <= 4L * maxPairs) break;
            reached -= slots;
            least = count + 1;
        }
        return least;
    }

    // FNV-1a over UTF-16: the same on every machine, unlike string's own hash.
    private static int Slot(ReadOnlySpan<char> pair)
    {
        ulong hash = 14695981039346656037;
        foreach (char c in pair) hash = (hash ^ c) * 1099511628211;
        return (int)(hash >> 32 ^ hash) & (Slots - 1);
    }

    private sealed class Counts
    {
        private readonly Dictionary<string, (int Texts, int Last)> _seen = new(StringComparer.Ordinal);

        public void Add(ReadOnlySpan<char> word, int text)
        {
            ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(_seen.GetAlternateLookup<ReadOnlySpan<char>>(), word, out bool known);
            if (!known || entry.Last != text) entry = (entry.Texts + 1, text);
        }

        public IEnumerable<(string Word, int Texts)> AtLeast(int minTexts) => _seen.Where(word => word.Value.Texts >= minTexts).Select(word => (word.Key, word.Value.Texts));
    }
}
