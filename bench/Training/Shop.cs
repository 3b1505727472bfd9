using BeeFormer.Streaming.HeadTraining;
using BeeFormer.Streaming.Trainer;

namespace BeeFormer.Streaming.Training;

/// <summary>What is learned from: texts of items and who touched them.</summary>
internal sealed record Shop(string[] Texts, InteractionMatrix Interactions)
{
    private static readonly string[] Words =
        ["river", "kettle", "winter", "silver", "garden", "wooden", "paper", "electric", "quiet", "mountain", "kitchen", "travel", "cotton", "summer", "ceramic", "window"];

    /// <param name="folder">A data set, see the README of the benchmarks; null: made up.</param>
    public static Shop Of(string? folder, double minValue, int items, int users)
    {
        if (folder is null) return MadeUp(items, users);
        DataSet data = DataSet.Read(folder, minValue);
        return new Shop(data.Texts, InteractionMatrix.FromPairs(data.Users, data.Texts.Length, data.User, data.Item));
    }

    /// <summary>Texts of 20 to 180 words; each user touches 12 items.</summary>
    private static Shop MadeUp(int items, int users)
    {
        var random = new Random(1);
        string[] texts = [.. Enumerable.Range(0, items).Select(n => $"{n}: {string.Join(' ', Enumerable.Range(0, random.Next(20, 180)).Select(_ => Words[random.Next(Words.Length)]))}")];
        int[] user = [.. Enumerable.Range(0, users * 12).Select(n => n / 12)], item = [.. user.Select(_ => random.Next(items))];
        return new Shop(texts, InteractionMatrix.FromPairs(users, items, user, item));
    }
}
