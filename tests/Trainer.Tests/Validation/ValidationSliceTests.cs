using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class ValidationSliceTests
{
    [Fact]
    public void What_is_kept_back_is_the_newest_before_the_gates_slice_and_is_not_learned_from()
    {
        using var shop = new ShopFolder();
        shop.Buy(seed: 1);
        var window = new TrainingWindow(shop.Windows.Read(new WindowStore.WindowQuery()), 0); // 1,200 interactions, a millisecond apart from 1,000 on
        int[] indexes = [.. Enumerable.Range(0, window.Rows.Items.Count)];
        WindowSplit split = WindowSplit.Of(window.Rows, indexes, indexes.Length, 0.1, out _)!;
        LearningSplit off = LearningSplit.Of(window, indexes, split, new TrainingPolicy()), on = LearningSplit.Of(window, indexes, split, new TrainingPolicy { ValidationShare = 0.25 });
        Assert.Same(split.History, off.Interactions);
        Assert.Null(off.Validation);
        Assert.Equal((2_080, 1_810), (split.SplitMs, on.Validation!.SplitMs));
        Assert.Same(on.Validation.History, on.Interactions);
        foreach ((int n, int user) in on.Validation.Users.Index())
            foreach (int item in on.Validation.Relevant[n])
            {
                Assert.DoesNotContain(item, on.Interactions.ItemsOf(user).ToArray());
                Assert.Contains(item, split.History.ItemsOf(user).ToArray()); // what the gate asks from is everything that the user did before
            }

        LearningSplit few = LearningSplit.Of(window, indexes, split, new TrainingPolicy { ValidationShare = 0.25, MinHoldoutUsers = 1000 });
        Assert.Same(split.History, few.Interactions);
        Assert.Contains("at least 1000 are needed", few.Problem, StringComparison.Ordinal);
        Assert.NotNull(LearningSplit.Of(window, indexes, split, new TrainingPolicy { WarmStart = WarmStart.Both }).Validation);
        Assert.Null(LearningSplit.Of(window, indexes, split, new TrainingPolicy { WarmStart = WarmStart.Both, Head = HeadKind.None }).Validation);
    }

    [Fact]
    public void A_slice_of_a_small_catalogue_asks_what_the_whole_split_asks()
    {
        var policy = new TrainingPolicy { ColdWeight = 0.3 };
        WindowSplit split = SyntheticShop.Of(items: 200, users: 150, seed: 4).Split(seed: 1);
        ValidationSlice slice = ValidationSlice.Of(split, policy);
        Assert.Equal(Enumerable.Range(0, 200), slice.Items);
        var random = new Random(2);
        var vectors = new EmbeddingMatrix([.. Enumerable.Range(0, 200 * 8).Select(_ => random.NextSingle() - 0.5f)], 8);
        double whole = new ModelEvaluation(split, [], policy, TestContext.Current.CancellationToken).Of(vectors).Scores.Decisive(policy);
        Assert.Equal(whole, slice.Score(vectors, policy, TestContext.Current.CancellationToken), 1e-12);
    }

    [Fact]
    public void A_slice_of_a_large_catalogue_is_bounded_and_the_same_each_time()
    {
        WindowSplit split = SyntheticShop.Of(items: 4000, users: 3000, seed: 4).Split(seed: 1);
        ValidationSlice first = ValidationSlice.Of(split, new TrainingPolicy()), second = ValidationSlice.Of(split, new TrainingPolicy()), other = ValidationSlice.Of(split, new TrainingPolicy { Seed = 1 });
        Assert.Equal(ValidationSlice.MostItems, first.Items.Length);
        Assert.InRange(first.Users, 40, split.Users.Length - 1);
        Assert.Equal(first.Items, second.Items);
        Assert.NotEqual(first.Items, other.Items);
    }
}
