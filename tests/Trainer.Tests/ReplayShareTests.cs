using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>A shop that drifts: long ago shoppers bought by colour, now others buy by shape. Windows hold the new time alone, and one head is trained from the other, as a service does.</summary>
public sealed class ReplayShareTests(ITestOutputHelper output)
{
    private const int Items = 120, Colours = 10, Users = 120, Trainings = 6;
    private static readonly string[] Texts = [.. Enumerable.Range(0, Items).Select(item => $"colour{item % Colours}n{item / Colours % 2} shape{item / Colours}n{item % 2} thing{item * 7 % 13}")];
    private static readonly TrainingPolicy Policy = new() { HeadOutput = 100, HeadSteps = 60, HeadWarmSteps = 40 };

    [Fact]
    public void An_old_taste_is_forgotten_the_less_the_larger_the_share_of_older_history()
    {
        double[] shares = [0, 0.1, 0.3, 0.5];
        (double Before, double Old, double New)[] means = [.. shares.Select(share => Mean(share))];
        foreach ((double share, var mean) in shares.Zip(means))
            output.WriteLine(FormattableString.Invariant($"replay_share {share:0.0}   old taste {mean.Before:0.000} -> {mean.Old:0.000}   new taste {mean.New:0.000}"));
        Assert.True(means[0].Old < means[0].Before * 0.5); // there is something to forget
        for (int n = 1; n < shares.Length; n++) Assert.True(means[n].Old > means[n - 1].Old * 1.1);
        Assert.True(means[1].New > means[0].New * 0.97); // the default costs the new taste next to nothing
    }

    private static (double Before, double Old, double New) Mean(double share)
    {
        (double Before, double Old, double New)[] runs = [.. new[] { 1, 2 }.Select(seed => Run(seed, share))];
        return (runs.Average(run => run.Before), runs.Average(run => run.Old), runs.Average(run => run.New));
    }

    /// <returns>How well the old taste is known when the new time begins, and both tastes after trainings that saw windows of the new time alone: ndcg@100.</returns>
    private static (double Before, double Old, double New) Run(int seed, double share)
    {
        using var shop = new ShopFolder();
        int[][] old = Histories(seed, byColour: true), recent = Histories(seed + 50, byColour: false);
        shop.Buy(old.Index().SelectMany(h => h.Item.Select(item => ($"old{h.Index}", item))));
        Head head = Learn(Head.Create(16, Texts, seed: 1), shop, lastN: int.MaxValue, share, Policy.HeadSteps);
        double before = Score(head, Question(seed + 100, byColour: true));
        for (int n = 0; n < Trainings; n++)
        {
            (int from, int to) = (n * Users / Trainings, (n + 1) * Users / Trainings);
            shop.Buy(recent[from..to].Index().SelectMany(h => h.Item.Select(item => ($"new{from + h.Index}", item))));
            head = Learn(head, shop, lastN: recent[from..to].Sum(h => h.Length), share, Policy.HeadWarmSteps);
        }
        return (before, Score(head, Question(seed + 100, byColour: true)), Score(head, Question(seed + 100, byColour: false)));
    }

    private static Head Learn(Head start, ShopFolder shop, int lastN, double share, int steps)
    {
        TrainingWindow window = TrainingWindow.Read(shop.Windows, new WindowStore.WindowQuery { LastN = lastN }, Policy with { ReplayShare = share });
        int[] item = [.. window.Rows.Item.Select(i => int.Parse(window.Rows.Items[i].Value[1..], System.Globalization.CultureInfo.InvariantCulture))];
        InteractionMatrix interactions = InteractionMatrix.FromPairs(window.Rows.Users.Count, Items, window.Rows.User, item);
        return ModelTraining.LearnHead(start, start.TfIdf(Texts), Outputs(), interactions, Policy, steps, TimeProvider.System, new TrainingPhases(Guid.Empty, null), TestContext.Current.CancellationToken);
    }

    private static double Score(Head head, WindowSplit question) =>
        new ModelEvaluation(question, Texts, Policy, TestContext.Current.CancellationToken).Of(head.Apply(Outputs(), Texts)).Scores.All.Mean(GateMetric.Ndcg100);

    /// <summary>What other shoppers of a kind buy next.</summary>
    private static WindowSplit Question(int seed, bool byColour)
    {
        int[][] histories = Histories(seed, byColour);
        int[] users = [.. Enumerable.Range(0, Users)];
        InteractionMatrix known = InteractionMatrix.FromPairs(Users, Items, histories.SelectMany((h, user) => h.Skip(2).Select(_ => user)).ToArray(), histories.SelectMany(h => h.Skip(2)).ToArray());
        return new WindowSplit(known, 0, users, [.. histories.Select(h => (IReadOnlySet<int>)h.Take(2).ToHashSet())], new bool[Items]);
    }

    private static int[][] Histories(int seed, bool byColour)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Users).Select(user =>
        {
            int[] all = [.. Enumerable.Range(0, Items).Where(item => byColour ? item % Colours == user % Colours : item / Colours == user % (Items / Colours))];
            random.Shuffle(all);
            return all[..6];
        })];
    }

    private static EmbeddingMatrix Outputs()
    {
        var random = new Random(5);
        return new EmbeddingMatrix([.. Enumerable.Range(0, Items * 16).Select(_ => random.NextSingle() - 0.5f)], 16);
    }
}
