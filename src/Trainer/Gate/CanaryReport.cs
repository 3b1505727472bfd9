using System.Text.Json.Nodes;
using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer;

/// <summary>How a model embeds texts that no catalogue holds: odd ones, and item texts cut short.</summary>
/// <param name="Shortened">Item texts that were cut to three quarters of their words.</param>
/// <param name="Found">Of those, how many have their own item among the nearest tenth of the catalogue (or the nearest 20, if that is more).</param>
/// <param name="Broken">The first text whose vector is not finite or has no length; null: none.</param>
internal sealed record CanaryReport(int Shortened, int Found, double ShortestNorm, double LongestNorm, string? Broken)
{
    private const int Draws = 32;

    /// <summary>What users and shops send: nothing, one sign, other scripts, more than any encoder reads.</summary>
    private static readonly string[] Odd = ["", "?", "42", "printer", "A wooden chair for the garden.", "礼物 🎁 подарок هدية", string.Join(' ', Enumerable.Repeat("blue kettle", 2000))];

    /// <param name="embed">The model: vectors of texts, and what its head finds their words in.</param>
    /// <param name="catalogue">Its vectors of <paramref name="texts"/>.</param>
    /// <param name="words">The texts with their attributes behind them, <see cref="ItemText.WordsOf"/>. A shortened item keeps its attributes.</param>
    public static CanaryReport Of(Func<IReadOnlyList<string>, IReadOnlyList<string>, EmbeddingMatrix> embed, EmbeddingMatrix catalogue, IReadOnlyList<string> texts, IReadOnlyList<string> words, TrainingPolicy policy)
    {
        int[] items = [.. Enumerable.Range(0, texts.Count)];
        new Random(policy.Seed).Shuffle(items);
        items = [.. items.Take(Draws)];
        string[] odd = [.. Odd, .. policy.CanaryTexts];
        string[] shortened = [.. items.Select(item => Shorten(texts[item]))], canaries = [.. odd, .. shortened];
        EmbeddingMatrix vectors = embed(canaries, [.. odd, .. items.Select((item, n) => shortened[n] + words[item][texts[item].Length..])]);

        double shortest = double.PositiveInfinity, longest = 0;
        string? broken = null;
        for (int n = 0; n < canaries.Length; n++)
        {
            float norm = MathF.Sqrt(RowArithmetic.Dot(vectors.Row(n), vectors.Row(n)));
            if (!float.IsFinite(norm) || norm == 0) broken ??= canaries[n];
            shortest = Math.Min(shortest, norm);
            longest = Math.Max(longest, norm);
        }
        int near = Math.Max(20, texts.Count / 10);
        int found = items.Where((item, n) => IsAmongNearest(near, item, vectors.Row(odd.Length + n), catalogue)).Count();
        return new CanaryReport(items.Length, found, shortest, longest, broken);
    }

    /// <returns>Null when all is well, else what is wrong.</returns>
    public string? Problem(TrainingPolicy policy)
    {
        if (Broken is not null) return $"the canary text \"{(Broken.Length <= 40 ? Broken : Broken[..40] + "…")}\" has a vector that is not finite or has no length";
        if (Found < policy.MinCanariesFound * Shortened)
            return FormattableString.Invariant($"only {Found} of {Shortened} shortened item texts have their own item near them, at least {policy.MinCanariesFound:0.00} of them are needed");
        return null;
    }

    public JsonObject ToJson() => new()
    {
        ["shortened"] = Shortened, ["found"] = Found, ["broken"] = Broken,
        ["shortest_norm"] = double.IsFinite(ShortestNorm) ? ShortestNorm : null, ["longest_norm"] = double.IsFinite(LongestNorm) ? LongestNorm : null,
    };

    private static string Shorten(string text)
    {
        string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return string.Join(' ', words.Take((words.Length * 3 + 3) / 4));
    }

    private static bool IsAmongNearest(int near, int item, ReadOnlySpan<float> canary, EmbeddingMatrix catalogue)
    {
        float own = Cosine(canary, catalogue.Row(item));
        int nearer = 0;
        for (int other = 0; other < catalogue.Rows; other++)
            if (Cosine(canary, catalogue.Row(other)) > own) nearer++;
        return nearer < near; // false for what is not a number, too: the canary is then broken
    }

    private static float Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => RowArithmetic.Dot(a, b) / MathF.Sqrt(RowArithmetic.Dot(a, a) * RowArithmetic.Dot(b, b));
}
