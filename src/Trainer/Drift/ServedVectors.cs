using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Trainer;

/// <summary>The vectors of one model over the items that are used most, at most <see cref="MaxItems"/>: bounds memory and the time of an answer.</summary>
internal sealed class ServedVectors
{
    public const int MaxItems = 20_000;

    private readonly EmbeddingMatrix _vectors;
    private readonly Dictionary<ItemId, int> _rows;

    public ServedVectors(EmbeddingModel model, IReadOnlyList<StoredItem> catalogue, InteractionWindow window, CancellationToken cancellationToken)
    {
        Dictionary<ItemId, int> uses = window.Item.CountBy(item => item).ToDictionary(count => window.Items[count.Key], count => count.Value);
        StoredItem[] items = [.. catalogue.Where(item => item.Event is not null).OrderByDescending(item => uses.GetValueOrDefault(item.Id)).Take(MaxItems)];
        _rows = items.Select((item, row) => (item.Id, row)).ToDictionary(pair => pair.Id, pair => pair.row);
        _vectors = model.EmbedItems([.. items.Select(item => item.Event!)], progress: null, cancellationToken);
    }

    public bool Holds(ItemId item) => _rows.ContainsKey(item);

    /// <summary>Whether <paramref name="item"/> is among the first <paramref name="depth"/> for a user, what the user has seen left out.</summary>
    /// <param name="history">Distinct items with what each weighs.</param>
    /// <returns>Null when nothing of the history has a vector: the model has no answer.</returns>
    public bool? Foretells(ItemId item, IReadOnlyList<(ItemId Item, float Weight)> history, int depth)
    {
        int wanted = _rows[item];
        var user = new float[_vectors.Dimension];
        var seen = new HashSet<int>();
        foreach ((ItemId touched, float weight) in history)
        {
            if (!_rows.TryGetValue(touched, out int row)) continue;
            seen.Add(row);
            RowArithmetic.AddScaled(_vectors.Row(row), weight, user);
        }
        if (seen.Count == 0) return null;
        float score = RowArithmetic.Dot(user, _vectors.Row(wanted));
        int above = 0;
        for (int row = 0; row < _vectors.Rows && above < depth; row++)
            if (row != wanted && !seen.Contains(row) && RowArithmetic.Dot(user, _vectors.Row(row)) >= score) above++;
        return above < depth;
    }
}
