using System.Globalization;
using System.Text;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// The words of a text: runs of letters and digits of any script (marks stay inside a run), in lower case by the invariant culture, of 2 to <see cref="MaxLength"/> UTF-16 units.
/// Everything else separates. There is no stemming, no Unicode normalisation and no list of stop words: idf gives frequent words little weight, and training moves the rows of those that mislead.
/// </summary>
public static class Words
{
    /// <summary>Longer runs are identifiers or noise and are skipped.</summary>
    public const int MaxLength = 64;

    /// <summary>Two words of the greatest length and the space between.</summary>
    internal const int LongestPair = 2 * MaxLength + 1;

    /// <summary>Separates as everything else does, and besides, the words on its two sides are no pair. Unicode keeps it for a program's own use: texts do not hold it.</summary>
    internal const char Break = '\uFFFF';

    /// <summary>Names this rule; part of a head's fingerprint, so a head is never used with another rule.</summary>
    internal const string Rule = "letters-digits-lower-2-64";

    public static Enumerator In(string text) => new(text.ToLowerInvariant());

    /// <summary>Each two neighbouring words, with a space between, in the order of the text; what separated them does not matter, unless it was <see cref="Break"/>.</summary>
    public static PairEnumerator PairsIn(string text) => new(text.ToLowerInvariant());

    /// <summary>Walks over the pairs; each stands until the next is asked for.</summary>
    public ref struct PairEnumerator(string lowered)
    {
        private readonly char[] _pair = new char[LongestPair];
        private Enumerator _words = new(lowered);
        private int _first; // length of the word that the next pair begins with; 0: none yet
        private int _length;

        public readonly ReadOnlySpan<char> Current => _pair.AsSpan(0, _length);

        public readonly PairEnumerator GetEnumerator() => this;

        public bool MoveNext()
        {
            // The second word of the last pair is the first of the next.
            if (_length > 0)
            {
                int second = _length - _first - 1;
                _pair.AsSpan(_first + 1, second).CopyTo(_pair);
                (_first, _length) = (second, 0);
            }
            else if (_words.MoveNext())
            {
                _words.Current.CopyTo(_pair);
                _first = _words.Current.Length;
            }
            if (_first == 0) return false;
            while (_words.MoveNext())
            {
                if (_words.AfterBreak)
                {
                    _words.Current.CopyTo(_pair);
                    _first = _words.Current.Length;
                    continue;
                }
                _pair[_first] = ' ';
                _words.Current.CopyTo(_pair.AsSpan(_first + 1));
                _length = _first + 1 + _words.Current.Length;
                return true;
            }
            return false;
        }
    }

    /// <summary>Walks over the words without allocating one string each.</summary>
    public ref struct Enumerator(string lowered)
    {
        private readonly ReadOnlySpan<char> _text = lowered;
        private int _next;

        public ReadOnlySpan<char> Current { get; private set; }

        /// <summary>A <see cref="Break"/> stands between the word before and this one.</summary>
        public bool AfterBreak { get; private set; }

        public readonly Enumerator GetEnumerator() => this;

        public bool MoveNext()
        {
            AfterBreak = false;
            while (_next < _text.Length)
            {
                int start = _next;
                int letters = 0;
                while (_next < _text.Length && IsPart(_text[_next..], started: letters > 0, out int units))
                {
                    _next += units;
                    letters++;
                }
                if (letters == 0)
                {
                    AfterBreak |= _text[_next] == Break;
                    Rune.DecodeFromUtf16(_text[_next..], out _, out int skipped);
                    _next += skipped;
                }
                else if (letters >= 2 && _next - start <= MaxLength)
                {
                    Current = _text[start.._next];
                    return true;
                }
            }
            return false;
        }

        private static bool IsPart(ReadOnlySpan<char> rest, bool started, out int units)
        {
            if (char.IsAscii(rest[0])) // most of what is read, at a fraction of the time
            {
                units = 1;
                return char.IsAsciiLetterOrDigit(rest[0]);
            }
            Rune.DecodeFromUtf16(rest, out Rune rune, out units);
            return Rune.IsLetterOrDigit(rune)
                || started && Rune.GetUnicodeCategory(rune) is (UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark);
        }
    }
}
