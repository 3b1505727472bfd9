namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class ItemSamplerTests
{
    [Fact]
    public void Draw_holds_every_user_with_two_or_more_of_its_items_in_both_orders()
    {
        //  items: 0: users 0, 1 · 1: user 0 · 2: users 1, 2 · 3: nobody
        var interactions = InteractionColumns.Of(3, 4, [0, 1, 0, 1, 2, 1], [0, 0, 1, 2, 2, 2], [1, 2, 3, 4, 5, 0.5f]);
        var draw = new ItemSampler(interactions, 10, seed: 1).Of([0, 1, 2]);
        Assert.Equal(2, draw.Users); // user 2 has one item only
        Assert.Equal([0, 2, 4], draw.RowStart);
        Assert.Equal([0, 1, 0, 2], draw.Column);
        Assert.Equal([1f, 3, 2, 4], draw.RowWeight); // the repeated pair counts once, with its larger weight
        Assert.Equal([0, 2, 3, 4], draw.ColumnStart);
        Assert.Equal([0, 1, 0, 1], draw.Row);
        Assert.Equal([1f, 2, 3, 4], draw.ColumnWeight);
    }

    [Fact]
    public void Items_that_nobody_touched_are_never_drawn_and_none_twice()
    {
        var interactions = InteractionColumns.Of(2, 5, [0, 0, 1], [1, 3, 4]);
        var sampler = new ItemSampler(interactions, 10, seed: 1);
        Assert.Equal([1, 3, 4], sampler.Draw(10).Items);
        Assert.Equal(2, sampler.Draw(2).Items.Distinct().Count());
    }

    [Fact]
    public void Users_are_bounded()
    {
        int[] user = [.. Enumerable.Range(0, 200).Select(n => n / 2)];
        int[] item = [.. Enumerable.Range(0, 200).Select(n => n % 2)];
        var draw = new ItemSampler(InteractionColumns.Of(100, 2, user, item), maxUsers: 7, seed: 1).Draw(2);
        Assert.Equal(7, draw.Users);
        Assert.Equal(14, draw.Column.Length);
    }

    [Theory]
    [InlineData(3, 0, 1f)]
    [InlineData(0, 2, 1f)]
    [InlineData(0, 0, 0f)]
    [InlineData(0, 0, float.NaN)]
    public void Interaction_outside_the_matrix_or_without_weight_is_refused(int user, int item, float weight) =>
        Assert.Throws<ArgumentException>(() => InteractionColumns.Of(3, 2, [user], [item], [weight]));
}
