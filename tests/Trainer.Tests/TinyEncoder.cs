using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>The two-layer encoder of the recorded training steps, and texts in its words.</summary>
internal static class TinyEncoder
{
    private static readonly string[] Nouns = ["novel", "printer", "river", "garden", "table", "ship", "kettle", "lamp", "mirror", "clock", "camera", "chair"];
    private static readonly string[] Adjectives = ["wooden", "blue", "tiny", "large", "soft", "electric", "green", "ancient", "quiet", "red", "sharp", "silver"];

    public static SentenceEncoder Load() => SentenceEncoder.Load(Path.Combine(Golden.RepositoryRoot(), "tests", "golden", "beeformer", "encoder"));

    /// <summary>Text n names noun n % 12: items of one noun go together.</summary>
    public static string Text(int n) => $"{Adjectives[n / Nouns.Length % Adjectives.Length]} {Nouns[n % Nouns.Length]} for the {Adjectives[n * 7 % Adjectives.Length]} home";

    public static string[] Texts(int count) => [.. Enumerable.Range(0, count).Select(Text)];

    /// <summary>Each user takes items of one pair of nouns that share no word: a printer goes with a river.</summary>
    public static InteractionMatrix Tastes(int users, int items, int seed)
    {
        var random = new Random(seed);
        var user = new List<int>();
        var item = new List<int>();
        for (int u = 0; u < users; u++)
            foreach (int i in Enumerable.Range(0, items).Where(i => i % 6 == u % 6))
                if (random.Next(2) == 0)
                {
                    user.Add(u);
                    item.Add(i);
                }
        return InteractionMatrix.FromPairs(users, items, user.ToArray(), item.ToArray());
    }
}
