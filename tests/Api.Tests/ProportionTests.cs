namespace BeeFormer.Streaming.Api.Tests;

public sealed class ProportionTests
{
    /// <summary>Computed by another program.</summary>
    [Theory]
    [InlineData(10, 100, 0.05522913706, 0.1743656615)]
    [InlineData(0, 10, 0, 0.2775327999)]
    [InlineData(10, 10, 0.7224672001, 1)]
    [InlineData(1, 1_000_000, 1.765245767e-7, 5.664911804e-6)]
    public void Interval_is_that_of_Wilson(long part, long whole, double low, double high)
    {
        var proportion = Proportion.Of(part, whole)!;
        Assert.Equal((double)part / whole, proportion.Value);
        Assert.Equal(low, proportion.Low, 1e-9 * low + 1e-15);
        Assert.Equal(high, proportion.High, 1e-9 * high);
    }

    [Fact]
    public void Of_nothing_there_is_none() => Assert.Null(Proportion.Of(0, 0));
}
