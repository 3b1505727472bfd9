using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Standalone.Commands;
using BeeFormer.Streaming.Standalone.DataSets;
using BeeFormer.Streaming.Standalone.Replay;
using BeeFormer.Streaming.Standalone.Tests.DataSets;

namespace BeeFormer.Streaming.Standalone.Tests.Replay;

/// <summary>Only the same data in the same way is the same run.</summary>
public sealed class ReplayPlanTests : IDisposable
{
    private readonly Files files = new();
    private readonly ReplayPlan plan;

    public ReplayPlanTests() => plan = new ReplayPlan(
        new DataSetSource(files.Write("items.csv", "item_id,title\ni1,Printer\n"), files.Write("x.csv", "user_id,item_id\nu1,i1\n"), "purchase", null, new ColumnNames()),
        TimeSpan.FromDays(7), 100, files.Write("policy.yaml", "head_steps: 10"));

    public void Dispose() => files.Dispose();

    [Fact]
    public void The_same_again_is_the_same_run() => Assert.Equal(plan.Run(new RankingOptions()), (plan with { }).Run(new RankingOptions()));

    [Theory]
    [InlineData("items.csv", "item_id,title\ni1,Scanner\n")]
    [InlineData("x.csv", "user_id,item_id\nu2,i1\n")]
    [InlineData("policy.yaml", "head_steps: 20")]
    public void Other_content_of_equal_length_is_another_run(string file, string content)
    {
        string before = plan.Run(new RankingOptions());
        files.Write(file, content);
        Assert.NotEqual(before, plan.Run(new RankingOptions()));
    }

    [Fact]
    public void Other_options_are_another_run()
    {
        ReplayPlan[] others =
        [
            plan with { PolicyFile = null }, plan with { TrainEvery = 200 }, plan with { Period = TimeSpan.FromDays(1) },
            plan with { Source = plan.Source with { Type = "rating" } }, plan with { Source = plan.Source with { MinValue = 4 } },
            plan with { With = ["Diversity=0.3"] },
            plan with { Source = plan.Source with { Columns = new ColumnNames { Text = "title" } } },
        ];
        Assert.Equal(others.Length + 1, others.Append(plan).Select(other => other.Run(new RankingOptions())).Distinct().Count());

        RankingOptions[] rankings = [new(), new() { Model = 2 }, new() { Popularity = 2 }, new() { History = 2 }, new() { Rest = TimeSpan.Zero }, new() { Candidates = 20 }, new() { Recency = 0.1 }, new() { Diversity = 0.1 }, new() { Exploration = 0.1 }];
        Assert.Equal(rankings.Length, rankings.Select(plan.Run).Distinct().Count());
    }
}
