using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>The paper's cold-start protocol: train without the cold items, then rank only them for each user from the user's warm items.</summary>
public static class ColdStartEvaluation
{
    /// <param name="policy">With a head the head alone is trained, on the outputs of the given encoder; with <c>head: none</c> the encoder itself.</param>
    /// <param name="encoder">The caller keeps it; it stays as it is.</param>
    /// <param name="progress">Phases <c>encode</c>, <c>train</c>, <c>evaluate</c>.</param>
    public static ColdStartReport Run(ColdStartTask task, TrainingPolicy policy, SentenceEncoder encoder, EncoderOutputCache? cache,
        IProgress<TrainingProgressed>? progress = null, CancellationToken cancellationToken = default)
    {
        if (policy.Type != PolicyType.Beeformer) throw new InvalidDataException("evaluate measures beeformer, and beside it the untrained sentence transformer and the baselines, in any case; set policy_type: beeformer.");
        using var scope = NewDisposeScope();
        TimeProvider clock = TimeProvider.System;
        var phases = new TrainingPhases(Guid.Empty, progress, clock);
        ColdStartSplit split = ColdStartSplit.Of(task);
        InteractionMatrix warm = split.Warm;
        int[] cold = [.. task.Cold];
        Head untrained = ModelTraining.NewHead(encoder.Dimension, task.ItemTexts, task.ItemWords, policy);
        IReadOnlyList<string> read = untrained.Shape.Reads(task.ItemTexts, task.ItemWords);
        SparseRows words = untrained.TfIdf(read);

        long began = clock.GetTimestamp();
        EmbeddingMatrix outputs = ModelTraining.Encode(encoder, task.ItemTexts, cache, phases, cancellationToken);
        double encodeSeconds = clock.GetElapsedTime(began).TotalSeconds;

        began = clock.GetTimestamp();
        Head? head = policy.Head == HeadKind.Words ? ModelTraining.LearnHead(untrained, words, outputs, warm, policy, policy.HeadSteps, clock, phases, cancellationToken) : null;
        EmbeddingMatrix trained = outputs;
        double encodeAgainSeconds = 0;
        if (head is null || policy.EncoderSteps > 0)
        {
            (SentenceEncoder tuned, Head? inLoop) = ModelTraining.LearnEncoder(encoder, head, task.ItemTexts, task.ItemWords, warm, policy, cache, clock, phases, cancellationToken);
            using SentenceEncoder owned = tuned;
            long encoding = clock.GetTimestamp();
            trained = ModelTraining.Encode(tuned, task.ItemTexts, null, phases, cancellationToken);
            encodeAgainSeconds = clock.GetElapsedTime(encoding).TotalSeconds;
            if (inLoop is not null) head = ModelTraining.LearnHead(inLoop, words, trained, warm, policy, policy.HeadSteps, clock, phases, cancellationToken);
        }
        if (head is not null) trained = head.Apply(trained, words);
        double trainSeconds = clock.GetElapsedTime(began).TotalSeconds - encodeAgainSeconds;

        Scorer byTrained = Ranker.ByVectors(Ranker.UnitRows(trained), warm, cold), byWords = Baselines.TfIdf(Baselines.Words(read, policy), warm, cold);
        var scorers = new (string Name, Scorer Score)[]
        {
            ("base", Ranker.ByVectors(Ranker.UnitRows(outputs), warm, cold)),
            ("trained", byTrained),
            ("popularity", Baselines.Popularity(warm, cold, policy.Seed)),
            ("tfidf", byWords),
            ("trained+tfidf", Baselines.SumOfZScores(byTrained, byWords)),
            ("random", Baselines.Random(cold, policy.Seed)),
        };
        var rows = new List<EvaluationRow>();
        foreach ((string name, Scorer score) in scorers)
        {
            rows.Add(Row(name, split, cold, score, cancellationToken));
            phases.Report("evaluate", rows.Count / (double)scorers.Length, null);
        }
        return new ColdStartReport(split.Users.Length, cold.Length, rows, encodeSeconds + encodeAgainSeconds, trainSeconds,
            VectorHealth.Of(outputs, policy.Seed).MeanCosine, VectorHealth.Of(trained, policy.Seed).MeanCosine);
    }

    internal static EvaluationRow Row(string name, ColdStartSplit split, int[] cold, Scorer score, CancellationToken cancellationToken)
    {
        // Cold items are never in a user's warm history: nothing is masked.
        int[][] rankings = Ranker.Top(100, split.Users, cold, score, seen: null, cancellationToken);
        IReadOnlySet<int>[] relevant = split.Relevant;
        if (rankings.Length == 0) return new EvaluationRow(name, 0, 0, 0);
        double Mean(Func<int, double> measure) => Enumerable.Range(0, rankings.Length).Average(measure);
        return new EvaluationRow(name,
            Mean(n => RankingMetrics.CalibratedRecall(rankings[n], relevant[n], 20)),
            Mean(n => RankingMetrics.CalibratedRecall(rankings[n], relevant[n], 50)),
            Mean(n => RankingMetrics.Ndcg(rankings[n], relevant[n], 100)));
    }
}

/// <summary>A task cut in two: what may be learned from, and what must be foretold.</summary>
/// <param name="Users">Those with both warm and cold interactions.</param>
/// <param name="Relevant">Cold items of each of them.</param>
internal sealed record ColdStartSplit(InteractionMatrix Warm, int[] Users, IReadOnlySet<int>[] Relevant)
{
    public static ColdStartSplit Of(ColdStartTask task)
    {
        int items = task.ItemTexts.Count;
        if (task.User.Length != task.Item.Length) throw new InvalidDataException($"The task has {task.User.Length} users and {task.Item.Length} items; expected pairs.");
        var isCold = new bool[items];
        foreach (int item in task.Cold)
        {
            if ((uint)item >= (uint)items) throw new InvalidDataException($"Cold item {item} is not one of the {items} items.");
            isCold[item] = true;
        }
        var pairs = Enumerable.Range(0, task.User.Length).ToLookup(n => isCold[task.Item[n]]);
        int[] warmPairs = [.. pairs[false]];
        var warm = InteractionMatrix.FromPairs(task.Users, items, warmPairs.Select(n => task.User[n]).ToArray(), warmPairs.Select(n => task.Item[n]).ToArray());

        var relevant = new SortedDictionary<int, HashSet<int>>();
        foreach (int n in pairs[true])
        {
            if (warm.ItemsOf(task.User[n]).IsEmpty) continue;
            if (!relevant.TryGetValue(task.User[n], out HashSet<int>? itemsOfUser)) relevant[task.User[n]] = itemsOfUser = [];
            itemsOfUser.Add(task.Item[n]);
        }
        return new ColdStartSplit(warm, [.. relevant.Keys], [.. relevant.Values]);
    }
}

/// <summary>Distinct (user, item) pairs: pair n is user <c>User[n]</c>, item <c>Item[n]</c>, indexes from 0 in input order.</summary>
/// <param name="Cold">Indexes of the cold items, ascending.</param>
public sealed record ColdStartTask(IReadOnlyList<string> ItemTexts, int Users, int[] User, int[] Item, IReadOnlyList<int> Cold)
{
    /// <summary>The texts with their attributes, <see cref="Encoder.ItemText.WordsOf"/>. Default: the texts.</summary>
    public IReadOnlyList<string> ItemWords { get; init; } = ItemTexts;
}

/// <param name="Users">Users with warm and cold interactions: those evaluated.</param>
/// <param name="BaseMeanCosine">Mean cosine between two of at most 1,000 items' vectors before training: near 1, all items would look alike.</param>
/// <param name="TrainedMeanCosine">The same after training.</param>
public sealed record ColdStartReport(int Users, int ColdItems, IReadOnlyList<EvaluationRow> Rows, double EncodeSeconds, double TrainSeconds, double BaseMeanCosine, double TrainedMeanCosine);

/// <param name="Name">
/// <c>base</c>, <c>trained</c>, <c>tfidf</c>, <c>trained+tfidf</c> (sum of z-scores), <c>popularity</c>, <c>random</c>. Popularity counts the interactions that were trained on; a cold item has none there, so among
/// cold items alone it is an order drawn by the seed, the same for every user.
/// </param>
public sealed record EvaluationRow(string Name, double RecallAt20, double RecallAt50, double NdcgAt100);
