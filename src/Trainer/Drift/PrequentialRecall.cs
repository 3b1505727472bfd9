using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// Recall@20 of the model in service on what the users do next. Each look takes the interactions that have landed since the last one and asks, for a sample of them, whether the model
/// would have shown the item to that user the moment before: first foretold, then known. Only items new to the user count, as in the gate. Interactions that the model's own window could see are not asked about.
/// </summary>
internal sealed class PrequentialRecall(IWindowStore windows, IModelStore models, SharedModels shared, EncoderOutputCache? cache, TrainerOptions options, double drop, TimeProvider clock)
{
    private const int Depth = 20;
    /// <summary>Newest items of a user that answer.</summary>
    private const int HistoryLength = 100;
    /// <summary>After this time histories and catalogue are read anew: new items take part, and erased users are gone.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromHours(1);

    private readonly DropDetector _detector = new(drop, options.RecallFalseAlarmEvery);
    private readonly Dictionary<UserId, List<(ItemId Item, float Weight)>> _histories = [];
    private IReadOnlyDictionary<int, long>? _position;
    private ModelManifest? _model;
    private ServedVectors? _vectors;
    private long _loaded;

    /// <summary>Hits per question since this model is in service or since the last drop; NaN before the first.</summary>
    public double Recall => _detector.Level;

    /// <returns>True: the recall has dropped.</returns>
    public bool Look(CancellationToken cancellationToken)
    {
        if (models.Live is not { } live) return false;
        if (_vectors is null || _model?.Version != live || clock.GetElapsedTime(_loaded) > MaxAge) Load(live, cancellationToken);
        InteractionWindow landed = windows.Read(Query() with { FromOffsets = _position });
        bool foreknown = _model!.Model.WindowAsOf.Any(seen => seen.Value > _position!.GetValueOrDefault(seen.Key));
        _position = landed.AsOf;

        int stride = Math.Max(1, landed.Count / options.RecallSample);
        bool dropped = false;
        for (int n = 0; n < landed.Count; n++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            (UserId user, ItemId item) = (landed.Users[landed.User[n]], landed.Items[landed.Item[n]]);
            if (!foreknown && n % stride == 0 && Foretold(user, item) is { } hit) dropped |= _detector.Add(hit);
            Remember(user, item, landed.Weight[n]);
        }
        return dropped;
    }

    private bool? Foretold(UserId user, ItemId item)
    {
        if (!_histories.TryGetValue(user, out List<(ItemId Item, float Weight)>? history) || !_vectors!.Holds(item)) return null;
        return history.Exists(entry => entry.Item == item) ? null : _vectors.Foretells(item, history, Depth);
    }

    private void Remember(UserId user, ItemId item, float weight)
    {
        if (!_histories.TryGetValue(user, out List<(ItemId Item, float Weight)>? history)) _histories[user] = history = [];
        int known = history.FindIndex(entry => entry.Item == item);
        if (known >= 0)
        {
            weight = Math.Max(weight, history[known].Weight);
            history.RemoveAt(known);
        }
        else if (history.Count == HistoryLength) history.RemoveAt(0);
        history.Add((item, weight));
    }

    private void Load(ModelVersion live, CancellationToken cancellationToken)
    {
        if (_model?.Version != live) _detector.Reset();
        ModelManifest manifest = models.Find(live) ?? throw new InvalidDataException($"Model {live} is live and not in the store.");
        InteractionWindow window = windows.Read(Query() with { AsOf = _position });
        using (EmbeddingModel model = shared.Rent(models.EncoderFolder(live), cache))
            _vectors = new ServedVectors(model, windows.ReadCatalogue(), window, cancellationToken);
        _histories.Clear();
        for (int n = 0; n < window.Count; n++) Remember(window.Users[window.User[n]], window.Items[window.Item[n]], window.Weight[n]);
        (_model, _position, _loaded) = (manifest, _position ?? window.AsOf, clock.GetTimestamp());
    }

    private WindowQuery Query() => options.Query(clock.GetUtcNow()) with { HalfLife = null };
}
