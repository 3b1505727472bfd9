namespace BeeFormer.Streaming.Trainer;

/// <summary>A model before the gate: how it foretold the held-out slice, and the state of its vectors.</summary>
internal sealed record GateCandidate(HoldoutScores Scores, VectorHealth Health);

/// <summary>Decides whether a challenger takes the incumbent's place.</summary>
internal static class Gate
{
    /// <summary>A slice with fewer users is reported, and decides nothing by itself: its mean is mostly chance.</summary>
    private const int MinSliceUsers = 20;
    /// <summary>A loss on one slice counts when the same bootstrap says with this probability that it is one: on a small slice a few users more or less make the mean.</summary>
    private const double SureLoss = 0.9;

    public static GateDecision Decide(GateCandidate challenger, GateCandidate incumbent, TrainingPolicy policy)
    {
        double probability = PairedBootstrap.ProbabilityOfBetter(
            Differences(challenger.Scores.Warm, incumbent.Scores.Warm, policy.Metric), Differences(challenger.Scores.Cold, incumbent.Scores.Cold, policy.Metric), policy.ColdWeight, policy.Seed);
        double after = challenger.Scores.Decisive(policy), before = incumbent.Scores.Decisive(policy);
        string numbers = FormattableString.Invariant($"{Name(policy.Metric)} {before:0.0000} → {after:0.0000}, better with probability {probability:0.000}");

        var objections = new List<string>();
        if (challenger.Health.Problem(policy) is { } collapse) objections.Add(collapse);
        if (probability < policy.MinProbability) objections.Add(FormattableString.Invariant($"{policy.MinProbability:0.000} was asked for"));
        objections.AddRange(Losses(challenger.Scores, incumbent.Scores, policy));
        return new GateDecision(objections.Count == 0, probability, before, after,
            objections.Count == 0 ? $"Promoted: {numbers}." : $"Refused: {numbers}; {string.Join("; ", objections)}.");
    }

    private static double[] Differences(SliceScores challenger, SliceScores incumbent, GateMetric metric) =>
        [.. challenger.Values(metric).Zip(incumbent.Values(metric), (after, before) => after - before)];

    private static IEnumerable<string> Losses(HoldoutScores challenger, HoldoutScores incumbent, TrainingPolicy policy)
    {
        var slices = new (string Name, SliceScores After, SliceScores Before)[]
        {
            ("all items", challenger.All, incumbent.All), ("known items", challenger.Warm, incumbent.Warm), ("new items", challenger.Cold, incumbent.Cold),
        };
        foreach ((string name, SliceScores after, SliceScores before) in slices)
        {
            if (before.Users < MinSliceUsers) continue;
            foreach (GateMetric metric in Enum.GetValues<GateMetric>())
            {
                double now = after.Mean(metric), then = before.Mean(metric);
                if (now >= then * (1 - policy.Tolerance)) continue;
                double worse = PairedBootstrap.ProbabilityOfBetter(Differences(before, after, metric), policy.Seed);
                if (!(worse < SureLoss))
                    yield return FormattableString.Invariant($"{Name(metric)} on {name} fell from {then:0.0000} to {now:0.0000}, more than the tolerance of {policy.Tolerance:0.00}, and worse with probability {worse:0.000}");
            }
        }
        if (challenger.Coverage < incumbent.Coverage * (1 - policy.CoverageTolerance))
            yield return FormattableString.Invariant($"coverage fell from {incumbent.Coverage:0.000} to {challenger.Coverage:0.000}, more than the tolerance of {policy.CoverageTolerance:0.00}");
    }

    private static string Name(GateMetric metric) => metric switch
    {
        GateMetric.Recall20 => "recall@20",
        GateMetric.Recall50 => "recall@50",
        _ => "ndcg@100",
    };
}

/// <param name="Probability">That the challenger is better on the deciding metric.</param>
/// <param name="Sentence">The decision and its reasons in plain words.</param>
internal sealed record GateDecision(bool Promoted, double Probability, double Incumbent, double Challenger, string Sentence);
