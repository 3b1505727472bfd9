using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class SumOfZScoresTests
{
    [Fact]
    public void Scales_of_the_two_rankings_do_not_matter_and_a_ranking_without_opinion_changes_nothing()
    {
        float[] few = [1, 2, 3, 10], many = [900, 300, 200, 100];
        Scorer Of(float[] scores, float scale) => users => tensor(scores.Select(score => score * scale).ToArray()).unsqueeze(0).expand(users.Length, scores.Length);
        float[] Sum(Scorer first, Scorer second)
        {
            using var scope = NewDisposeScope();
            return [.. Baselines.SumOfZScores(first, second)(new[] { 0, 1 }).contiguous().data<float>()];
        }
        float[] sum = Sum(Of(few, 1), Of(many, 1));
        double[] Z(float[] scores)
        {
            double mean = scores.Average(), deviation = Math.Sqrt(scores.Sum(s => (s - mean) * (s - mean)) / (scores.Length - 1));
            return [.. scores.Select(s => (s - mean) / deviation)];
        }
        double[] expected = [.. Z(few).Zip(Z(many), (a, b) => a + b)];
        for (int n = 0; n < 8; n++) Assert.Equal(expected[n % 4], sum[n], 1e-5);
        float[] scaled = Sum(Of(few, 1000), Of(many, 0.001f)), alone = Sum(Of(few, 1), Of([5, 5, 5, 5], 1));
        for (int n = 0; n < 8; n++) Assert.Equal(sum[n], scaled[n], 1e-4f);
        for (int n = 0; n < 8; n++) Assert.Equal(Z(few)[n % 4], alone[n], 1e-5);
    }
}
