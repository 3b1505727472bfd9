using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>A shop that drifts: long ago shoppers bought by colour, now others buy by shape. Windows hold the new time alone, and one head is trained from the other, as a service does.</summary>
public sealed class ReplayShareTests
{
    private const int Items = 120, Colours = 10, Users = 120, Trainings = 6;
    private static readonly string[] Texts = [.. Enumerable.Range(0, Items).Select(item => $"colour{item % Colours}n{item / Colours % 2} shape{item / Colours}n{item % 2} thing{item * 7 % 13}")];
    private static readonly TrainingPolicy Policy = new() { HeadOutput = 100, HeadSteps = 60, HeadWarmSteps = 40 };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void An_old_taste_is_forgotten_less_with_a_share_of_older_history(int seed)
    {
        (double learned, double without) = Old(seed, share: 0);
        (_, double with) = Old(seed, share: 0.1);
        Assert.True(without < learned * 0.9, $"{learned:F3} {without:F3}"); // there is something to forget
        Assert.True(learned - with < (learned - without) * 0.7, $"{learned:F3} without {without:F3} with {with:F3}");
    }

    /// <returns>How well the old taste is known when the new time begins, and after trainings that saw the new time.</returns>
    private static (double Before, double After) Old(int seed, double share)
    {
        WindowSplit question = Question(seed + 100);
        using var shop = new ShopFolder();
        int[][] old = Histories(seed, byColour: true), recent = Histories(seed + 50, byColour: false);
        shop.Buy(old.Index().SelectMany(h => h.Item.Select(item => ($"old{h.Index}", item))));
        Head head = Learn(Head.Create(16, Texts, seed: 1), shop, lastN: int.MaxValue, share, Policy.HeadSteps);
        double before = Score(head, question);
        for (int n = 0; n < Trainings; n++)
        {
            (int from, int to) = (n * Users / Trainings, (n + 1) * Users / Trainings);
            shop.Buy(recent[from..to].Index().SelectMany(h => h.Item.Select(item => ($"new{from + h.Index}", item))));
            head = Learn(head, shop, lastN: recent[from..to].Sum(h => h.Length), share, Policy.HeadWarmSteps);
        }
        return (before, Score(head, question));
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

    /// <summary>What shoppers of the old kind buy next.</summary>
    private static WindowSplit Question(int seed)
    {
        int[][] histories = Histories(seed, byColour: true);
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
