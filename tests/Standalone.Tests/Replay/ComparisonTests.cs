using BeeFormer.Streaming.Standalone.Replay;

namespace BeeFormer.Streaming.Standalone.Tests.Replay;

public sealed class ComparisonTests
{
    [Fact]
    public void Only_periods_in_which_the_one_is_strictly_above_count()
    {
        IReadOnlyList<PeriodRow>[] periods =
        [
            [new("a", 0.2, 0.1, 1, 0.2, 0.3), new("b", 0.1, 0.1, 1, 0.1, 0.1)],
            [new("b", 0.3, 0.1, 1, 0.1, 0.1), new("a", 0.2, 0.2, 1, 0.1, 0.2)],
        ];
        Assert.Equal(new Comparison("a", "b", 2, Recall: 1, Ndcg: 1, RecallNew: 1, NdcgNew: 2), Comparison.Of("a", "b", periods));
        Assert.Equal(new Comparison("b", "a", 2, Recall: 1, Ndcg: 0, RecallNew: 0, NdcgNew: 0), Comparison.Of("b", "a", periods));
    }
}
