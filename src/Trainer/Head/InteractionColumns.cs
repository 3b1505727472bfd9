namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// The users × items matrix of a training, stored by item: <c>User[n]</c> touched item i with <c>Weight[n]</c> for n from <c>Start[i]</c> to <c>Start[i + 1]</c> (not included).
/// </summary>
public sealed record InteractionColumns(int Users, int[] Start, int[] User, float[] Weight)
{
    public int Items => Start.Length - 1;

    /// <summary>Sorts triples into columns. Weights must be positive; a repeated pair keeps its largest weight. No weights: all are 1.</summary>
    public static InteractionColumns Of(int users, int items, ReadOnlySpan<int> user, ReadOnlySpan<int> item, ReadOnlySpan<float> weight = default)
    {
        if (user.Length != item.Length || !weight.IsEmpty && weight.Length != user.Length)
            throw new ArgumentException($"{user.Length} users, {item.Length} items and {weight.Length} weights do not make triples.");
        var triples = new (int Item, int User, float Weight)[user.Length];
        for (int n = 0; n < triples.Length; n++)
        {
            float value = weight.IsEmpty ? 1 : weight[n];
            if ((uint)user[n] >= (uint)users || (uint)item[n] >= (uint)items)
                throw new ArgumentException($"Interaction {n} is of user {user[n]} and item {item[n]}; there are {users} users and {items} items.");
            if (!float.IsFinite(value) || value <= 0) throw new ArgumentException($"Interaction {n} has weight {value}; expected a number above 0.");
            triples[n] = (item[n], user[n], value);
        }
        Array.Sort(triples, (a, b) => a.Item != b.Item ? a.Item.CompareTo(b.Item) : a.User != b.User ? a.User.CompareTo(b.User) : b.Weight.CompareTo(a.Weight));

        var start = new int[items + 1];
        var sortedUsers = new int[triples.Length];
        var weights = new float[triples.Length];
        int count = 0;
        for (int n = 0; n < triples.Length; n++)
        {
            if (n > 0 && triples[n].Item == triples[n - 1].Item && triples[n].User == triples[n - 1].User) continue;
            sortedUsers[count] = triples[n].User;
            weights[count++] = triples[n].Weight;
            start[triples[n].Item + 1] = count;
        }
        for (int i = 1; i <= items; i++) start[i] = Math.Max(start[i], start[i - 1]);
        return new InteractionColumns(users, start, sortedUsers[..count], weights[..count]);
    }
}
