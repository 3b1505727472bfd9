using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer;

/// <summary>The paper's cold-start protocol: train without the cold items, then rank only them for each user from the user's warm items.</summary>
public static class ColdStartEvaluation
{
    public static ColdStartReport Run(ColdStartTask task, TrainingPolicy policy, SentenceEncoder encoder, EncoderOutputCache? cache,
        IProgress<TrainingProgressed>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
}

/// <summary>Distinct (user, item) pairs: pair n is user <c>User[n]</c>, item <c>Item[n]</c>, indexes from 0 in input order.</summary>
/// <param name="Cold">Indexes of the cold items, ascending.</param>
public sealed record ColdStartTask(IReadOnlyList<string> ItemTexts, int Users, int[] User, int[] Item, IReadOnlyList<int> Cold);

/// <param name="Users">Users with warm and cold interactions: those evaluated.</param>
public sealed record ColdStartReport(int Users, int ColdItems, IReadOnlyList<EvaluationRow> Rows, double EncodeSeconds, double TrainSeconds);

/// <param name="Name"><c>base</c>, <c>trained</c>, <c>popularity</c>, <c>random</c>, <c>tfidf</c>.</param>
public sealed record EvaluationRow(string Name, double RecallAt20, double RecallAt50, double NdcgAt100);
