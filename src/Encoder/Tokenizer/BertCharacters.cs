using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;

namespace BeeFormer.Streaming.Encoder;

/// <summary>Which steps of the BERT normaliser a tokenizer asks for.</summary>
internal readonly record struct BertNormalisation(bool Clean, bool SpaceCjk, bool StripAccents, bool Lowercase);

/// <summary>What becomes of a code point between the raw text and the words.</summary>
internal enum CharacterFate { Keep, Remove, Space, Isolate, Replace, IsolateReplaced, Expand }

/// <summary>
/// All per-character steps of the BERT tokenizer (clean, space out CJK, decompose and strip marks, lower-case, classify) folded into one look-up a code point.
/// The tables are those of the reference tokenizer, which are older than .NET's Unicode data; .NET's own classification gives other ids.
/// </summary>
internal sealed class BertCharacters
{
    private const int PageBits = 8, PageSize = 1 << PageBits, CodePoints = 0x110000;
    private const int FateBits = 3, FateMask = (1 << FateBits) - 1;

    private static readonly ConcurrentDictionary<BertNormalisation, BertCharacters> known = new();

    private readonly int[][] pages = new int[CodePoints / PageSize][];
    private readonly List<int[]> expansions = [];

    private BertCharacters(BertNormalisation steps) => Fill(steps, BertUnicode.Load());

    internal static BertCharacters For(BertNormalisation steps) => known.GetOrAdd(steps, s => new BertCharacters(s));

    internal CharacterFate FateOf(int codePoint, out int value)
    {
        int entry = pages[codePoint >> PageBits][codePoint & (PageSize - 1)];
        value = entry >> FateBits;
        return (CharacterFate)(entry & FateMask);
    }

    /// <summary>The classified code points (same encoding as <see cref="FateOf"/>, never nested) of an <see cref="CharacterFate.Expand"/>.</summary>
    internal ReadOnlySpan<int> Expansion(int value) => expansions[value];

    internal static (CharacterFate Fate, int Value) Decode(int entry) => ((CharacterFate)(entry & FateMask), entry >> FateBits);

    private void Fill(BertNormalisation steps, BertUnicode unicode)
    {
        var shared = new int[PageSize]; // Most pages are plain letters: Keep everywhere.
        for (int page = 0; page < pages.Length; page++)
        {
            int[]? own = null;
            for (int i = 0; i < PageSize; i++)
            {
                int entry = Entry(page * PageSize + i, steps, unicode);
                if (entry == 0 && own is null) continue;
                own ??= new int[PageSize];
                own[i] = entry;
            }
            pages[page] = own ?? shared;
        }
    }

    private int Entry(int codePoint, BertNormalisation steps, BertUnicode unicode)
    {
        if (steps.Clean)
        {
            if (unicode.Removed[codePoint]) return (int)CharacterFate.Remove;
            if (unicode.ToSpace[codePoint]) return (int)CharacterFate.Space;
        }
        bool cjk = steps.SpaceCjk && unicode.Cjk[codePoint];
        List<int> text = [codePoint];
        if (steps.StripAccents) text = unicode.Strip(codePoint);
        if (steps.Lowercase) text = [.. text.SelectMany(unicode.Lower)];
        if (text.Count == 0) return (int)CharacterFate.Remove;
        if (text.Count > 1)
        {
            expansions.Add([.. text.Select(c => Classified(-1, c, isolate: cjk, unicode))]);
            return (expansions.Count - 1) << FateBits | (int)CharacterFate.Expand;
        }
        return Classified(codePoint, text[0], isolate: cjk, unicode);
    }

    private static int Classified(int from, int to, bool isolate, BertUnicode unicode)
    {
        if (unicode.Whitespace[to]) return (int)CharacterFate.Space;
        isolate |= unicode.Punctuation[to];
        if (from == to) return isolate ? (int)CharacterFate.Isolate : (int)CharacterFate.Keep;
        return to << FateBits | (int)(isolate ? CharacterFate.IsolateReplaced : CharacterFate.Replace);
    }
}

/// <summary>The recorded tables of the reference tokenizer, one answer a code point.</summary>
internal sealed class BertUnicode
{
    private const int CodePoints = 0x110000;
    private const int HangulFirst = 0xAC00, HangulLast = 0xD7A3, JamoL = 0x1100, JamoV = 0x1161, JamoT = 0x11A7, VowelCount = 21, TailCount = 28;

    private readonly Dictionary<int, List<int>> strip, lower;
    private readonly bool[] marks;

    private BertUnicode(JsonElement json)
    {
        Removed = Ranges(json, "clean_removed");
        ToSpace = Ranges(json, "clean_to_space");
        Cjk = Ranges(json, "cjk_spaced");
        marks = Ranges(json, "strip_marks_removed");
        Punctuation = Ranges(json, "split_punctuation");
        Whitespace = Ranges(json, "split_whitespace");
        strip = Changes(json, "strip_changes");
        lower = Changes(json, "lower_changes");
    }

    internal bool[] Removed { get; }
    internal bool[] ToSpace { get; }
    internal bool[] Cjk { get; }
    internal bool[] Punctuation { get; }
    internal bool[] Whitespace { get; }

    internal static BertUnicode Load()
    {
        using Stream stream = typeof(BertUnicode).Assembly.GetManifestResourceStream("bert-unicode.json")!;
        using JsonDocument json = JsonDocument.Parse(stream);
        return new BertUnicode(json.RootElement);
    }

    /// <summary>Canonical decomposition without the combining marks.</summary>
    internal List<int> Strip(int codePoint)
    {
        if (marks[codePoint]) return [];
        if (strip.TryGetValue(codePoint, out List<int>? changed)) return changed;
        if (codePoint is < HangulFirst or > HangulLast) return [codePoint];
        int syllable = codePoint - HangulFirst, tail = syllable % TailCount;
        List<int> jamo = [JamoL + syllable / (VowelCount * TailCount), JamoV + syllable / TailCount % VowelCount];
        if (tail > 0) jamo.Add(JamoT + tail);
        return jamo;
    }

    internal List<int> Lower(int codePoint) => lower.TryGetValue(codePoint, out List<int>? changed) ? changed : [codePoint];

    private static bool[] Ranges(JsonElement json, string name)
    {
        var member = new bool[CodePoints];
        foreach (JsonElement range in json.GetProperty(name).EnumerateArray())
        {
            string[] ends = range.GetString()!.Split('-');
            int first = Hexadecimal(ends[0]), last = Hexadecimal(ends[^1]);
            member.AsSpan(first, last - first + 1).Fill(true);
        }
        return member;
    }

    private static Dictionary<int, List<int>> Changes(JsonElement json, string name) => json.GetProperty(name).EnumerateObject()
        .ToDictionary(p => Hexadecimal(p.Name), p => p.Value.GetString()!.EnumerateRunes().Select(r => r.Value).ToList());

    private static int Hexadecimal(string digits) => int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
