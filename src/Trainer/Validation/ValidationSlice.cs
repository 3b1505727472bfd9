using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// A small question about the future that can be asked often: what some users of a split chose, found among some items. Users are drawn, some of what they touched and chose is taken, and drawn items fill up;
/// values compare with each other, not with those of the gate, which ranks the whole catalogue.
/// </summary>
internal sealed class ValidationSlice
{
    /// <summary>Encoding so many texts costs about half of what an encoder step of 256 items costs, which has gradients.</summary>
    public const int MostItems = 512;
    /// <summary>Taken of a user's history, and of what it chose, so that long histories leave room for others.</summary>
    private const int MostOfOne = 10;

    private readonly WindowSplit _part; // its items are places in Items

    private ValidationSlice(int[] items, WindowSplit part) => (Items, _part) = (items, part);

    /// <summary>Places in the catalogue, ascending.</summary>
    public int[] Items { get; }

    public int Users => _part.Users.Length;

    public static ValidationSlice Of(WindowSplit split, TrainingPolicy policy)
    {
        var random = new Random(policy.Seed);
        int[] order = [.. Enumerable.Range(0, split.Users.Length)];
        random.Shuffle(order);
        var taken = new HashSet<int>();
        var users = new List<int>(); // places in split.Users
        foreach (int n in order)
        {
            int[] own = [.. Some(split.History.ItemsOf(split.Users[n]).ToArray()), .. Some([.. split.Relevant[n].Order()])];
            if (taken.Count + own.Count(item => !taken.Contains(item)) > MostItems) continue;
            taken.UnionWith(own);
            users.Add(n);
        }
        users.Sort();
        int[] rest = [.. Enumerable.Range(0, split.Cold.Length).Where(item => !taken.Contains(item))];
        random.Shuffle(rest);
        int[] items = [.. taken.Concat(rest.Take(MostItems - taken.Count)).Order()];
        return new ValidationSlice(items, Part(split, users, items));

        int[] Some(int[] own)
        {
            if (own.Length <= MostOfOne) return own;
            random.Shuffle(own);
            return own[..MostOfOne];
        }
    }

    /// <summary>The policy's measure, known and new items weighted as the gate weighs them.</summary>
    /// <param name="vectors">One row an item of <see cref="Items"/>, of any length.</param>
    /// <returns>NaN where a vector holds no number.</returns>
    public double Score(EmbeddingMatrix vectors, TrainingPolicy policy, CancellationToken cancellationToken)
    {
        if (Array.Exists(vectors.Values, value => !float.IsFinite(value))) return double.NaN;
        using var scope = TorchSharp.torch.NewDisposeScope();
        var rows = Ranker.UnitRows(vectors);
        return HoldoutScores.Of(_part, candidates => Ranker.ByVectors(rows, _part.History, candidates), cancellationToken).Decisive(policy);
    }

    private static WindowSplit Part(WindowSplit split, List<int> users, int[] items)
    {
        Dictionary<int, int> place = items.Select((item, n) => (item, n)).ToDictionary(pair => pair.item, pair => pair.n);
        var (user, item, weight) = (new List<int>(), new List<int>(), new List<float>());
        foreach ((int row, int n) in users.Index())
        {
            ReadOnlySpan<int> history = split.History.ItemsOf(split.Users[n]);
            ReadOnlySpan<float> weights = split.History.WeightsOf(split.Users[n]);
            for (int of = 0; of < history.Length; of++)
            {
                if (!place.TryGetValue(history[of], out int known)) continue;
                item.Add(known);
                user.Add(row);
                weight.Add(weights[of]);
            }
        }
        InteractionMatrix matrix = InteractionMatrix.FromPairs(users.Count, items.Length, user.ToArray(), item.ToArray(), weight.ToArray());
        return new WindowSplit(matrix, split.SplitMs, [.. Enumerable.Range(0, users.Count)], [.. users.Select(n => split.Relevant[n].Where(place.ContainsKey).Select(one => place[one]).ToHashSet())], [.. items.Select(one => split.Cold[one])]);
    }
}
