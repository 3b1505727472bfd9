using BeeFormer.Streaming.VectorIndex;

namespace BeeFormer.Streaming.Api;

/// <summary>An item that may get a place in a list.</summary>
/// <param name="Score">Of the <see cref="Blend"/>.</param>
/// <param name="Enters">The place, from 0, from which on it is looked at: a list of n looks no deeper than one must for n places, so a longer list begins with the shorter one.</param>
/// <param name="Vector">Of length 1; only diversity looks at it.</param>
/// <param name="Values">What <see cref="ValueCaps"/> counts.</param>
/// <param name="Turn">Of <see cref="Exploration"/>; null: not for exploration.</param>
/// <param name="Shown">An earlier page showed it: it has its place.</param>
public readonly record struct Candidate(double Score, int Enters, float[] Vector, IReadOnlyList<(string Attribute, AttributeValue Value)> Values, ulong? Turn = null, bool Shown = false);

/// <param name="Index">Of the candidate.</param>
/// <param name="Likeness">Greatest cosine to an item above it; 0 without diversity.</param>
/// <param name="Explored">It has a place that is kept for <see cref="Exploration"/>.</param>
public readonly record struct Placed(int Index, double Likeness, bool Explored);

/// <summary>The places that are asked for: so many, after those of earlier pages.</summary>
/// <param name="From">Places of earlier pages.</param>
/// <param name="Shown">What stands on them; null: nothing.</param>
public readonly record struct Places(int Count, int From = 0, Func<string, bool>? Shown = null)
{
    public int End => From + Count;

    public static implicit operator Places(int count) => new(count);
    public static Places FromInt32(int count) => count;
}
