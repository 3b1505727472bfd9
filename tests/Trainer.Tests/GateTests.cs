using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>Items in groups; a user likes one group before the split and after it; a good model's vectors show the groups.</summary>
public sealed class GateTests
{
    private const int Items = 120, Groups = 12, Users = 150, Dimension = 16;

    [Fact]
    public void A_model_that_shows_what_users_like_is_promoted_over_a_random_one()
    {
        GateDecision decision = Decide(seed: 1, challenger: GroupVectors(1, noise: 0.5f), incumbent: Noise(2));
        Assert.True(decision.Promoted, decision.Sentence);
        Assert.StartsWith("Promoted: ndcg@100", decision.Sentence, StringComparison.Ordinal);
        Assert.True(decision.Challenger > decision.Incumbent);
    }

    [Fact]
    public void An_identical_model_is_never_promoted()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            EmbeddingMatrix vectors = GroupVectors(seed, noise: 0.5f);
            Assert.False(Decide(seed, vectors, vectors).Promoted);
        }
    }

    [Theory]
    [InlineData("noise")]
    [InlineData("collapsed")]
    [InlineData("shuffled")]
    public void A_model_made_worse_is_refused_in_99_of_100_seeds(string harm)
    {
        int refused = 0;
        for (int seed = 0; seed < 100; seed++)
        {
            EmbeddingMatrix good = GroupVectors(seed, noise: 0.5f);
            EmbeddingMatrix bad = harm switch
            {
                "noise" => Mix(good, Noise(seed + 1000), 2),
                "collapsed" => Collapse(good),
                _ => Shuffle(good, seed),
            };
            if (!Decide(seed, bad, good).Promoted) refused++;
        }
        Assert.InRange(refused, 99, 100);
    }

    [Fact]
    public void Collapsed_vectors_are_refused_even_where_they_rank_better()
    {
        GateDecision decision = Decide(1, Collapse(GroupVectors(1, noise: 0.2f)), Noise(3));
        Assert.False(decision.Promoted);
        Assert.Contains("collapsed", decision.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_vector_that_is_no_number_is_refused()
    {
        EmbeddingMatrix broken = GroupVectors(1, noise: 0.5f);
        broken.Values[5] = float.NaN;
        GateDecision decision = Decide(1, broken, Noise(2));
        Assert.False(decision.Promoted);
        Assert.Contains("not finite", decision.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_loss_on_new_items_beyond_the_tolerance_is_refused_whatever_the_known_items_gain()
    {
        WindowSplit split = Split(4);
        EmbeddingMatrix good = GroupVectors(4, noise: 0.5f), incumbent = GroupVectors(4, noise: 1f);
        for (int item = 0; item < Items; item++)
            if (split.Cold[item]) Noise(99).Row(item).CopyTo(good.Row(item));
        GateDecision decision = Decide(4, good, incumbent, new TrainingPolicy { ColdWeight = 0, Seed = 4 });
        Assert.False(decision.Promoted);
        Assert.Contains("on new items fell", decision.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(6, 4, true)]    // a third less, and as good as chance
    [InlineData(30, 4, false)]
    public void A_loss_on_a_small_slice_counts_when_it_is_more_than_chance(int incumbentHits, int challengerHits, bool promoted)
    {
        double[] none = [.. Enumerable.Repeat(double.NaN, 200)];
        GateCandidate Candidate(double known, int hits, int firstHit)
        {
            double[] all = [.. Enumerable.Repeat(known, 200)];
            double[] cold = [.. none.Select((value, user) => user >= 60 ? value : user >= firstHit && user < firstHit + hits ? 1 : 0)];
            var slice = new SliceScores(all, all, all);
            return new GateCandidate(new HoldoutScores(slice, slice, new SliceScores(cold, cold, all), Coverage: 0.5), new VectorHealth(0.1, 100, Finite: true));
        }
        GateDecision decision = Gate.Decide(Candidate(0.3, challengerHits, 40), Candidate(0.2, incumbentHits, 0), new TrainingPolicy());
        Assert.True(promoted == decision.Promoted, decision.Sentence);
    }

    private static GateDecision Decide(int seed, EmbeddingMatrix challenger, EmbeddingMatrix incumbent, TrainingPolicy? policy = null)
    {
        policy ??= new TrainingPolicy { Seed = seed };
        var evaluation = new ModelEvaluation(Split(seed), [], policy, TestContext.Current.CancellationToken);
        return Gate.Decide(evaluation.Of(challenger), evaluation.Of(incumbent), policy);
    }

    /// <summary>Every tenth item is touched after the split only.</summary>
    private static WindowSplit Split(int seed)
    {
        var random = new Random(seed);
        var entries = new List<(int User, int Item, long At)>();
        for (int user = 0; user < Users; user++)
            for (int n = 0; n < 8; n++)
            {
                int item = random.Next(Items / Groups) * Groups + user % Groups;
                bool late = item % 10 == 0 || n >= 6;
                entries.Add((user, item, late ? 1_000_000 + random.Next(1000) : random.Next(1_000_000)));
            }
        (int User, int Item, long At)[] ordered = [.. entries.OrderBy(e => e.At)];
        double lateShare = ordered.Count(e => e.At >= 1_000_000) / (double)ordered.Length;
        var window = new InteractionWindow([.. Enumerable.Range(0, Users).Select(u => new UserId($"u{u}"))], [.. Enumerable.Range(0, Items).Select(i => new ItemId($"i{i}"))],
            [.. ordered.Select(e => e.User)], [.. ordered.Select(e => e.Item)], [.. ordered.Select(_ => 1f)], [.. ordered.Select(e => e.At)], new Dictionary<int, long>(), "hash");
        return WindowSplit.Of(window, [.. Enumerable.Range(0, Items)], Items, lateShare, out _)!;
    }

    private static EmbeddingMatrix GroupVectors(int seed, float noise)
    {
        EmbeddingMatrix vectors = EmbeddingMatrix.Zeros(Items, Dimension);
        for (int item = 0; item < Items; item++) vectors.Row(item)[item % Groups] = 1;
        return Mix(vectors, Noise(seed), noise);
    }

    private static EmbeddingMatrix Noise(int seed)
    {
        var random = new Random(seed);
        return new EmbeddingMatrix([.. Enumerable.Range(0, Items * Dimension).Select(_ => random.NextSingle() - 0.5f)], Dimension);
    }

    private static EmbeddingMatrix Mix(EmbeddingMatrix a, EmbeddingMatrix b, float share) => new([.. a.Values.Zip(b.Values, (x, y) => x + share * y)], Dimension);

    private static EmbeddingMatrix Collapse(EmbeddingMatrix vectors) => new([.. vectors.Values.Select((value, n) => (n % Dimension == 0 ? 30 : 0) + value)], Dimension);

    private static EmbeddingMatrix Shuffle(EmbeddingMatrix vectors, int seed)
    {
        float[][] rows = [.. vectors.Values.Chunk(Dimension)];
        new Random(seed).Shuffle(rows);
        return new EmbeddingMatrix([.. rows.SelectMany(row => row)], Dimension);
    }
}
