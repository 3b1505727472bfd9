using BeeFormer.Streaming.VectorIndex;

namespace BeeFormer.Streaming.Api;

/// <summary>How many items of each value of some attributes a list may still take. An item with several values counts for each of them, one without the attribute for none.</summary>
/// <param name="most">By attribute.</param>
public sealed class ValueCaps(IReadOnlyDictionary<string, int> most)
{
    private readonly Dictionary<(string Attribute, AttributeValue Value), int> _taken = [];

    /// <summary>What counts of an item.</summary>
    public static IReadOnlyList<(string Attribute, AttributeValue Value)> Of(IndexedItem item, IReadOnlyDictionary<string, int> most) =>
        most.Count == 0 ? [] : [.. most.Keys.SelectMany(attribute => AttributeValue.Of(item, attribute).Distinct().Select(value => (attribute, value)))];

    public bool Admit(IReadOnlyList<(string Attribute, AttributeValue Value)> values)
    {
        for (int n = 0; n < values.Count; n++)
            if (_taken.GetValueOrDefault(values[n]) >= most[values[n].Attribute]) return false;
        return true;
    }

    public void Take(IReadOnlyList<(string Attribute, AttributeValue Value)> values)
    {
        foreach (var value in values) _taken[value] = _taken.GetValueOrDefault(value) + 1;
    }
}
