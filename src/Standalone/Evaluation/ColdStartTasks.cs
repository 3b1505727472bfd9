using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.Standalone.DataSets;
using BeeFormer.Streaming.Trainer;

namespace BeeFormer.Streaming.Standalone.Evaluation;

/// <summary>Makes the paper's protocol of a data set: users with five or more distinct items, each pair once, a fifth of the items cold.</summary>
internal static class ColdStartTasks
{
    public const int MinItemsPerUser = 5;
    public const double ColdShare = 0.2;

    /// <param name="coldItems">Null: drawn by the seed, without replacement, from the items that those users touched.</param>
    public static ColdStartTask Build(InteractionTable table, IReadOnlyList<ItemEvent> catalogue, ItemText text, IReadOnlySet<ItemId>? coldItems, int seed)
    {
        var described = catalogue.ToDictionary(item => item.ItemId);
        bool[] known = [.. table.Items.Select(described.ContainsKey)];
        (int User, int Item)[] pairs = [.. Enumerable.Range(0, table.Count).Where(n => known[table.Item[n]]).Select(n => (table.User[n], table.Item[n])).Distinct()];
        HashSet<int> enough = [.. pairs.CountBy(pair => pair.User).Where(count => count.Value >= MinItemsPerUser).Select(count => count.Key)];
        pairs = [.. pairs.Where(pair => enough.Contains(pair.User))];
        if (pairs.Length == 0) throw new DataSetException($"No user has {MinItemsPerUser} distinct items that the catalogue describes; expected a data set with such users.");

        // Sorted by id, so that the draw does not depend on the order of the file.
        int[] items = [.. pairs.Select(pair => pair.Item).Distinct().OrderBy(item => table.Items[item])];
        int[] users = [.. pairs.Select(pair => pair.User).Distinct().OrderBy(user => table.Users[user])];
        Dictionary<int, int> itemPlace = Places(items), userPlace = Places(users);
        int[] cold = coldItems is null ? Draw(items.Length, seed) : [.. Enumerable.Range(0, items.Length).Where(n => coldItems.Contains(table.Items[items[n]]))];
        if (cold.Length == 0) throw new DataSetException("None of the cold items is in the data set; expected ids as in its item column.");
        if (cold.Length == items.Length) throw new DataSetException("All items of the data set are cold; expected some to learn from.");
        ItemEvent[] events = [.. items.Select(item => described[table.Items[item]])];
        return new ColdStartTask([.. events.Select(text.Of)], users.Length, [.. pairs.Select(pair => userPlace[pair.User])], [.. pairs.Select(pair => itemPlace[pair.Item])], cold)
        {
            ItemWords = [.. events.Select(text.WordsOf)],
        };
    }

    private static Dictionary<int, int> Places(int[] numbers) => numbers.Select((number, place) => (number, place)).ToDictionary(pair => pair.number, pair => pair.place);

    private static int[] Draw(int items, int seed)
    {
        int[] order = [.. Enumerable.Range(0, items)];
        new Random(seed).Shuffle(order);
        return [.. order.Take(Math.Max(1, (int)Math.Round(items * ColdShare))).Order()];
    }
}
