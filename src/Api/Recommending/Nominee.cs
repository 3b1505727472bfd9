using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.VectorIndex;

namespace BeeFormer.Streaming.Api;

/// <summary>An item that a recommendation may name, and what its place in the list is decided by.</summary>
/// <param name="Item">As it would be answered.</param>
/// <param name="Score">What places are given by.</param>
/// <param name="Enters">Of the <see cref="Candidate"/>.</param>
/// <param name="Stored">Null where only the search told of it; whoever looks at vectors or attributes has it fetched.</param>
/// <param name="Turn">Of the <see cref="Candidate"/>.</param>
internal sealed record Nominee(RankedItem Item, double Score, int Enters, IndexedItem? Stored, ulong? Turn = null)
{
    public ItemId Id => new(Item.ItemId);

    /// <param name="explain">Each says what its place came from.</param>
    public static List<Nominee> Arrange(IEnumerable<Nominee> nominees, RankingOptions ranking, Places places, bool explain)
    {
        Nominee[] bestFirst = [.. nominees.OrderByDescending(nominee => nominee.Score).ThenBy(nominee => nominee.Id)];
        var placed = Arrangement.Of([.. bestFirst.Select(nominee => new Candidate(
            nominee.Score, nominee.Enters, nominee.Stored?.Vector ?? [], nominee.Stored is { } stored ? ValueCaps.Of(stored, ranking.MaxPer) : [], nominee.Turn, places.Shown?.Invoke(nominee.Item.ItemId) ?? false))], ranking, places);
        return [.. placed.Select(place => explain ? bestFirst[place.Index].Explained(place, ranking) : bestFirst[place.Index])];
    }

    private Nominee Explained(Placed place, RankingOptions ranking) => this with
    {
        Item = Item with
        {
            Parts = (Item.Parts ?? new ScoreParts()) with
            {
                DiversityPenalty = ranking.Diversity > 0 ? ranking.Diversity * place.Likeness : null,
                Exploration = ranking.Exploration > 0 ? place.Explored : null,
            },
        },
    };
}
