namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class ColumnSamplerTests
{
    private static readonly InteractionMatrix Interactions = TinyEncoder.Tastes(users: 30, items: 60, seed: 1);

    [Fact]
    public void Users_batch_holds_all_positives_and_fills_up_with_distinct_negatives()
    {
        TrainingBatch batch = new ColumnSampler(Interactions, 5).Users([0, 1], maxOutput: 30);
        int[] positives = [.. Interactions.ItemsOf(0).ToArray().Union(Interactions.ItemsOf(1).ToArray()).Order()];
        Assert.Equal(positives, batch.Columns[..positives.Length]);
        Assert.Equal(30, batch.Columns.Distinct().Count());
        Assert.Equal(Interactions.ItemsOf(0).Length + Interactions.ItemsOf(1).Length, batch.X.Sum());
    }

    [Fact]
    public void Users_batch_never_cuts_positives_and_has_one_negative_at_least()
    {
        TrainingBatch batch = new ColumnSampler(Interactions, 5).Users([0, 1, 2], maxOutput: 1);
        int positives = new[] { 0, 1, 2 }.SelectMany(user => Interactions.ItemsOf(user).ToArray()).Distinct().Count();
        Assert.Equal(positives + 1, batch.Columns.Length);
    }

    [Fact]
    public void Items_batch_has_every_user_with_two_of_its_items_and_nobody_else()
    {
        TrainingBatch batch = new ColumnSampler(Interactions, 5).Items(20);
        Assert.Equal(20, batch.Columns.Distinct().Count());
        int expected = Enumerable.Range(0, Interactions.Users).Count(user => Interactions.ItemsOf(user).ToArray().Intersect(batch.Columns).Count() >= 2);
        Assert.Equal(expected, batch.Rows);
        Assert.All(batch.X.Chunk(20), row => Assert.True(row.Sum() >= 2));
    }

    [Fact]
    public void The_same_seed_draws_the_same_batches()
    {
        var first = new ColumnSampler(Interactions, 9);
        var second = new ColumnSampler(Interactions, 9);
        for (int n = 0; n < 5; n++) Assert.Equal(first.Items(10).Columns, second.Items(10).Columns);
        Assert.NotEqual(first.Items(10).Columns, new ColumnSampler(Interactions, 10).Items(10).Columns);
    }

    [Fact]
    public void A_repeated_pair_weighs_its_strongest_interaction()
    {
        InteractionMatrix matrix = InteractionMatrix.FromPairs(2, 3, [1, 0, 1], [2, 0, 2], [0.3f, 1f, 0.9f]);
        Assert.Equal(2, matrix.Count);
        Assert.Equal([0.9f], matrix.WeightsOf(1).ToArray());
    }
}
