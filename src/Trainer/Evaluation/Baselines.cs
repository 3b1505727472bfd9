using BeeFormer.Streaming.Encoder;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Rankings that a trained model must beat to have earned its cost.</summary>
internal static class Baselines
{
    /// <summary>Items by their number of users; equal numbers, as all of never touched items are, in an order drawn by the seed.</summary>
    public static Scorer Popularity(InteractionMatrix interactions, int[] candidates, int seed)
    {
        var random = new Random(seed);
        int[] counts = interactions.UsersPerItem();
        // A draw below one half never lifts an item over one with one user more.
        float[] scores = [.. candidates.Select(item => counts[item] + random.NextSingle() / 2)];
        return users => tensor(scores).unsqueeze(0).expand(users.Length, scores.Length);
    }

    /// <summary>A new order for each user.</summary>
    public static Scorer Random(int[] candidates, int seed)
    {
        var random = new Random(seed);
        return users =>
        {
            var scores = new float[users.Length * candidates.Length];
            for (int n = 0; n < scores.Length; n++) scores[n] = random.NextSingle();
            return tensor(scores, users.Length, candidates.Length);
        };
    }

    /// <summary>As <see cref="Ranker.ByVectors"/>, for vectors of which some are missing: an item whose vector is 0 is never ranked.</summary>
    public static Scorer ByKnownVectors(EmbeddingMatrix vectors, InteractionMatrix history, int[] candidates)
    {
        Scorer score = Ranker.ByVectors(Ranker.UnitRows(vectors), history, candidates);
        Tensor unknown = tensor(candidates.Select(item => !vectors.Row(item).ContainsAnyExcept(0f)).ToArray()).unsqueeze(0);     // [1, candidates]
        return users => score(users).masked_fill(unknown, Ranker.MinusInfinity);
    }

    /// <summary>The words of every text for <see cref="TfIdf"/>: those of a head, single ones only, without the frequent.</summary>
    /// <param name="texts">What a head finds its words in.</param>
    public static SparseRows Words(IReadOnlyList<string> texts, TrainingPolicy policy) =>
        FrequentWords.Without(Vocabulary.Of(texts, minTexts: 2, maxWords: 100_000).TfIdf(texts), policy.TfIdfMaxShare);

    /// <summary>Cosine-like score between the sum of the TF-IDF rows of a user's items and that of a candidate.</summary>
    /// <param name="words">One row an item, each of length 1.</param>
    public static Scorer TfIdf(SparseRows words, InteractionMatrix history, int[] candidates)
    {
        (int Column, float Value)[][] postings = Postings(words, candidates);
        var profile = new float[postings.Length];       // scratch: all 0 between users
        return users =>
        {
            var scores = new float[users.Length * candidates.Length];
            for (int row = 0; row < users.Length; row++) Score(users.Span[row], scores.AsSpan(row * candidates.Length, candidates.Length));
            return tensor(scores, users.Length, candidates.Length);
        };

        void Score(int user, Span<float> scores)
        {
            var touched = new List<int>();
            ReadOnlySpan<float> weights = history.WeightsOf(user);
            ReadOnlySpan<int> items = history.ItemsOf(user);
            for (int n = 0; n < items.Length; n++)
            {
                ReadOnlySpan<int> wordsOfItem = words.Columns(items[n]);
                ReadOnlySpan<float> values = words.Values(items[n]);
                for (int w = 0; w < wordsOfItem.Length; w++)
                {
                    if (profile[wordsOfItem[w]] == 0) touched.Add(wordsOfItem[w]);
                    profile[wordsOfItem[w]] += weights[n] * values[w];
                }
            }
            foreach (int word in touched)
            {
                foreach ((int column, float value) in postings[word]) scores[column] += profile[word] * value;
                profile[word] = 0;
            }
        }
    }

    /// <summary>Both rankings at once: for each user the sum of the scores' distances from their mean, in standard deviations.</summary>
    public static Scorer SumOfZScores(Scorer first, Scorer second)
    {
        return users => ZScores(first(users)).Plus(ZScores(second(users)));

        static Tensor ZScores(Tensor scores) => (scores - scores.mean([1L], keepdim: true)) / scores.std([1L], keepdim: true).clamp_min(LeastDeviation);
    }

    private static readonly Scalar LeastDeviation = 1e-12.ToScalar();

    private static (int Column, float Value)[][] Postings(SparseRows words, int[] candidates)
    {
        int vocabulary = 0;
        for (int item = 0; item < words.Count; item++)
            foreach (int word in words.Columns(item)) vocabulary = Math.Max(vocabulary, word + 1);
        var postings = new List<(int, float)>[vocabulary];
        for (int word = 0; word < vocabulary; word++) postings[word] = [];
        for (int column = 0; column < candidates.Length; column++)
        {
            ReadOnlySpan<int> wordsOfItem = words.Columns(candidates[column]);
            ReadOnlySpan<float> values = words.Values(candidates[column]);
            for (int n = 0; n < wordsOfItem.Length; n++) postings[wordsOfItem[n]].Add((column, values[n]));
        }
        return [.. postings.Select(list => list.ToArray())];
    }
}
