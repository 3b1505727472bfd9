using System.Text.Json.Nodes;
using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Looks at the validation slice now and then, keeps the weights that did best there, and says when to end.</summary>
internal sealed class EarlyStopping(ValidationSlice slice, TrainingPolicy policy)
{
    private IReadOnlyList<StatePart> _weights = [];
    private byte[][]? _best;

    public int[] Items => slice.Items;
    public EarlyStoppingState State { get; private set; } = new();

    /// <summary>The best weights so far, to be kept with a checkpoint.</summary>
    public IReadOnlyList<StatePart> Kept => _best is null ? [] : [.. _weights.Zip(_best, (part, bytes) => part.Over(bytes, "best/"))];

    /// <param name="weights">All that decides the vectors and is learned.</param>
    public void Watch(IReadOnlyList<StatePart> weights) => _weights = weights;

    public bool Due(int step, int steps) => step != State.LookedAt && (step % policy.ValidateEvery == 0 || step == steps);

    /// <param name="vectors">Of <see cref="Items"/>.</param>
    /// <returns>True: it is time to end.</returns>
    public bool Look(int step, EmbeddingMatrix vectors, CancellationToken cancellationToken)
    {
        double value = slice.Score(vectors, policy, cancellationToken);
        // What is no number is never better.
        bool better = State.Best is { } best ? value > best : !double.IsNaN(value);
        if (better) Keep();
        State = State with
        {
            Best = better ? value : State.Best, BestStep = better ? step : State.BestStep, Last = double.IsNaN(value) ? null : value,
            Looks = State.Looks + 1, WithoutBetter = better ? 0 : State.WithoutBetter + 1, LookedAt = step,
        };
        return State.WithoutBetter >= policy.Patience;
    }

    /// <summary>Goes on from a checkpoint: <see cref="Kept"/> then has room for the best weights, which the caller fills.</summary>
    public void Resume(EarlyStoppingState state)
    {
        State = state;
        _best = state.Best is null ? null : [.. _weights.Select(part => new byte[part.Bytes])];
    }

    /// <summary>Puts the best weights back; without any the last ones stay.</summary>
    public void RestoreBest()
    {
        if (_best is null || State.BestStep == State.LookedAt) return;
        foreach ((int n, StatePart part) in _weights.Index()) part.Restore(_best[n]);
    }

    public JsonObject ToJson() => new()
    {
        ["metric"] = Gate.Name(policy.Metric), ["users"] = slice.Users, ["items"] = slice.Items.Length, ["looks"] = State.Looks,
        ["best"] = State.Best, ["best_step"] = State.BestStep, ["last"] = State.Last, ["last_step"] = State.LookedAt,
    };

    private void Keep()
    {
        _best ??= [.. _weights.Select(part => new byte[part.Bytes])];
        foreach ((int n, StatePart part) in _weights.Index())
        {
            using var memory = new MemoryStream(_best[n]);
            part.Save(memory);
        }
    }
}

/// <param name="Best">Null: no look has given a number yet.</param>
/// <param name="WithoutBetter">Looks since the best one.</param>
/// <param name="LookedAt">Step of the last look; −1: there was none.</param>
internal sealed record EarlyStoppingState(double? Best = null, int BestStep = 0, double? Last = null, int Looks = 0, int WithoutBetter = 0, int LookedAt = -1);
