namespace BeeFormer.Streaming.Encoder;

/// <summary>What a head is made with; kept for its whole line of descendants.</summary>
/// <param name="EncoderDimension">Length d of an encoder output.</param>
/// <param name="Dimension">Length D of an item vector; at most <see cref="MaxDimension"/>.</param>
/// <param name="Seed">Decides the rows that words start with.</param>
/// <param name="Alpha">Weight of the encoder's part against that of the words. Default 0.5.</param>
/// <param name="MinTexts">Words in fewer texts are left out: they link no two items. Default 2.</param>
/// <param name="MaxWords">Bound of the vocabulary, the words of most texts first, then pairs as far as there is room; an entry costs 4·D bytes, while it is trained 12·D. Default 65,536.</param>
/// <param name="Pairs">Two neighbouring words count as a word of their own, too. Default true: names and titles consist of them.</param>
/// <param name="Attributes">Words of an item's attributes count, too (<see cref="ItemText.WordsOf"/>); false: those of its text alone. Default true.</param>
public sealed record HeadShape(int EncoderDimension, int Dimension, int Seed, float Alpha = 0.5f, int MinTexts = 2, int MaxWords = 65_536, bool Pairs = true, bool Attributes = true)
{
    public const int MaxDimension = 8192;

    /// <summary>What such a head finds the words of items in.</summary>
    /// <param name="texts">As the encoder reads them.</param>
    /// <param name="words">The same with their attributes.</param>
    public IReadOnlyList<string> Reads(IReadOnlyList<string> texts, IReadOnlyList<string> words) => Attributes ? words : texts;

    /// <exception cref="ArgumentException">Names the value and what was expected.</exception>
    internal void Check()
    {
        if (EncoderDimension is < 1 or > MaxDimension) throw new ArgumentException($"encoder dimension is {EncoderDimension}; expected 1 to {MaxDimension}");
        if (Dimension is < 1 or > MaxDimension) throw new ArgumentException($"dimension is {Dimension}; expected 1 to {MaxDimension}");
        if (!float.IsFinite(Alpha) || Alpha <= 0) throw new ArgumentException($"alpha is {Alpha}; expected a number above 0");
        if (MinTexts < 1) throw new ArgumentException($"min_texts is {MinTexts}; expected at least 1");
        // B must fit one array.
        if (MaxWords < 0 || (long)MaxWords * Dimension > Array.MaxLength) throw new ArgumentException($"max_words is {MaxWords}; expected 0 to {Array.MaxLength / Dimension}");
    }
}
