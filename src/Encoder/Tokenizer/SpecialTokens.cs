using System.Buffers;

namespace BeeFormer.Streaming.Encoder;

/// <summary>A token cut out of the raw text wherever it stands literally, before any normalising.</summary>
/// <param name="TakesSpaceBefore">Also swallows the white space before it (<c>lstrip</c>).</param>
/// <param name="TakesSpaceAfter">Also swallows the white space after it (<c>rstrip</c>).</param>
internal readonly record struct SpecialToken(string Text, int Id, bool TakesSpaceBefore, bool TakesSpaceAfter);

/// <summary>Finds special tokens: the leftmost, and of those that begin there the longest.</summary>
internal sealed class SpecialTokens
{
    private readonly SpecialToken[] longestFirst;
    private readonly SearchValues<string> anywhere;

    internal SpecialTokens(IEnumerable<SpecialToken> tokens)
    {
        longestFirst = [.. tokens.OrderByDescending(t => t.Text.Length)];
        anywhere = SearchValues.Create([.. longestFirst.Select(t => t.Text)], StringComparison.Ordinal);
    }

    /// <summary>The next special token of <paramref name="text"/>; <paramref name="before"/> and <paramref name="after"/> are how much of the text lies before it and where the rest begins.</summary>
    internal bool TryFind(ReadOnlySpan<char> text, out int before, out int after, out int id)
    {
        int at = text.IndexOfAny(anywhere);
        (before, after, id) = (text.Length, text.Length, -1);
        if (at < 0) return false;
        foreach (SpecialToken token in longestFirst)
        {
            if (!text[at..].StartsWith(token.Text, StringComparison.Ordinal)) continue;
            (before, after, id) = (at, at + token.Text.Length, token.Id);
            if (token.TakesSpaceBefore) while (before > 0 && char.IsWhiteSpace(text[before - 1])) before--;
            if (token.TakesSpaceAfter) while (after < text.Length && char.IsWhiteSpace(text[after])) after++;
            return true;
        }
        throw new InvalidOperationException("The search found a special token that none of them begins with.");
    }
}
