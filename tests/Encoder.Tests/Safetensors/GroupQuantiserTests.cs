using FsCheck.Xunit;

namespace BeeFormer.Streaming.Encoder.Tests;

public class GroupQuantiserTests
{
    [Property]
    public void A_weight_moves_by_at_most_half_a_step(int seed)
    {
        var random = new Random(seed);
        float[] weights = [.. Enumerable.Range(0, 24).Select(_ => (float)(random.NextDouble() - 0.5) * 3)];
        (sbyte[] values, float[] scales) = GroupQuantiser.Quantise(weights, 8);
        Assert.Equal(3, scales.Length);
        for (int i = 0; i < weights.Length; i++) Assert.InRange(Math.Abs(values[i] * scales[i / 8] - weights[i]), 0, scales[i / 8] * 0.5001f);
    }

    [Fact]
    public void A_group_of_zeros_stays_zero()
    {
        (sbyte[] values, float[] scales) = GroupQuantiser.Quantise([0, 0, 0, 127], 2);
        Assert.Equal([0, 0, 0, 127], values.Select(v => (int)v));
        Assert.Equal([0f, 1f], scales);
    }

    [Fact]
    public void Halves_round_to_even()
    {
        (sbyte[] values, _) = GroupQuantiser.Quantise([127, 0.5f, 1.5f, -2.5f], 4);
        Assert.Equal([127, 0, 2, -2], values.Select(v => (int)v));
    }

    [Theory, InlineData(float.NaN), InlineData(float.PositiveInfinity)]
    public void A_weight_that_is_no_finite_number_is_refused(float weight) => Assert.Throws<InvalidDataException>(() => GroupQuantiser.Quantise([1, weight], 2));

    [Theory, InlineData(384, 64), InlineData(100, 100), InlineData(64, 64)]
    public void Columns_that_64_does_not_divide_have_one_scale_a_row(int columns, int group) => Assert.Equal(group, GroupQuantiser.GroupOf(columns, 64));
}
