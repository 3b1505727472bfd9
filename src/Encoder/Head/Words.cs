using System.Text;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// The words of a text: runs of letters and digits of any script (marks stay inside a run), in lower case by the invariant culture, of 2 to <see cref="MaxLength"/> UTF-16 units.
/// Everything else separates. There is no stemming, no Unicode normalisation and no list of stop words: idf and the learned rows weigh words better than a list does.
/// </summary>
public static class Words
{
    /// <summary>Longer runs are identifiers or noise and are skipped.</summary>
    public const int MaxLength = 64;

    /// <summary>Names this rule; part of a head's fingerprint, so a head is never used with another rule.</summary>
    internal const string Rule = "letters-digits-lower-2-64";

    public static Enumerator In(string text) => new(text.ToLowerInvariant());

    /// <summary>Walks over the words without allocating one string each.</summary>
    public ref struct Enumerator(string lowered)
    {
        private readonly ReadOnlySpan<char> _text = lowered;
        private int _next;

        public ReadOnlySpan<char> Current { get; private set; }

        public readonly Enumerator GetEnumerator() => this;

        public bool MoveNext()
        {
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
            Rune.DecodeFromUtf16(rest, out Rune rune, out units);
            return Rune.IsLetterOrDigit(rune)
                || started && Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.SpacingCombiningMark && started;
        }
    }
}
