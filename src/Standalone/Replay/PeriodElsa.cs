using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.Standalone.DataSets;
using BeeFormer.Streaming.Trainer;

namespace BeeFormer.Streaming.Standalone.Replay;

/// <summary>
/// ELSA trained anew at each period's begin on all that came before it, by the policy's options: what can be foretold from interactions alone by learning once a period.
/// It depends on the file and the policy only, so a run that goes on after a restart sees the same vectors.
/// </summary>
internal sealed class PeriodElsa(InteractionTable table, string type, IReadOnlyDictionary<ItemId, int> places, Periods periods, TrainingPolicy policy, UserVectorOptions weights) : IDisposable
{
    private (int Period, ItemVectors Vectors)? current;

    /// <summary>The vectors in service in that period; items that nobody had touched before it have none. Valid until the next period is asked for.</summary>
    public ItemVectors Of(int period, CancellationToken cancellationToken)
    {
        if (current is { } known && known.Period == period) return known.Vectors;
        current?.Vectors.Dispose();
        current = null;
        ItemVectors vectors = Train(period, cancellationToken);
        current = (period, vectors);
        return vectors;
    }

    private ItemVectors Train(int period, CancellationToken cancellationToken)
    {
        var (users, items) = (new List<int>(), new List<int>());
        for (int n = 0; n < table.Count && periods.Of(n) < period; n++)
        {
            if (weights.WeightOf(type, double.IsNaN(table.Value[n]) ? null : table.Value[n]) <= 0 || !places.TryGetValue(table.Items[table.Item[n]], out int item)) continue;
            users.Add(table.User[n]);
            items.Add(item);
        }
        float[]?[] rows = new float[]?[places.Count];
        if (users.Count > 0)
        {
            EmbeddingMatrix matrix = Elsa.Train(InteractionMatrix.FromPairs(table.Users.Count, places.Count, users.ToArray(), items.ToArray()), policy, cancellationToken);
            for (int item = 0; item < rows.Length; item++)
                if (matrix.Row(item).ContainsAnyExcept(0f)) rows[item] = matrix.Row(item).ToArray();
        }
        return new ItemVectors(rows, places);
    }

    public void Dispose() => current?.Vectors.Dispose();
}
