using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class TrainingWindowTests : IDisposable
{
    private readonly ShopFolder _shop = new();

    public TrainingWindowTests() => _shop.Buy(seed: 1, users: 40, each: 50); // 2,000 interactions, a millisecond apart

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.3)]
    [InlineData(0.5)]
    public void Older_histories_are_their_share_of_what_is_learned_from(double share)
    {
        TrainingWindow window = Read(new WindowQuery { LastN = 800 }, share);
        double learned = 800 * 0.9;
        Assert.InRange(window.Older / (learned + window.Older), share - 0.045, share); // whole histories of 30: one less than would be too many
        Assert.Equal(800, window.Rows.Count - window.Older);
        Assert.Equal(window.Rows.TimestampMs.Order(), window.Rows.TimestampMs);
        Assert.Equal(window.Older, window.Rows.User[..window.Older].GroupBy(user => user).Sum(history => history.Count() is 30 ? 30 : 0));
    }

    [Fact]
    public void The_window_stays_what_it_is_and_the_hash_covers_both()
    {
        var query = new WindowQuery { FromMs = 1_000 + 1_200, HalfLife = TimeSpan.FromMilliseconds(500) };
        InteractionWindow alone = _shop.Windows.Read(query);
        TrainingWindow both = Read(query, 0.3), again = Read(query, 0.3), other = Read(query, 0.3, seed: 2);
        Assert.Equal(both.Rows.ContentHash, again.Rows.ContentHash);
        Assert.Equal(3, new[] { alone.ContentHash, both.Rows.ContentHash, other.Rows.ContentHash }.Distinct().Count());
        Assert.Equal(Lines(alone, 0), Lines(both.Rows, both.Older));
        // Weights fall on by age from the window to what is older.
        InteractionWindow whole = _shop.Windows.Read(query with { FromMs = null });
        var weights = Enumerable.Range(0, whole.Count).ToDictionary(n => whole.TimestampMs[n], n => whole.Weight[n]);
        for (int n = 0; n < both.Rows.Count; n++) Assert.Equal(weights[both.Rows.TimestampMs[n]], both.Rows.Weight[n], 1e-5f);

        Assert.Equal(alone.ContentHash, Read(query, 0).Rows.ContentHash);
        Assert.Equal(0, Read(new WindowQuery(), 0.3).Older);
        Assert.Equal(0, Read(new WindowQuery { LastN = 5_000 }, 0.3).Older);
        Assert.Equal(0, Read(new WindowQuery { FromMs = 0 }, 0.3).Older);
    }

    [Fact]
    public void Only_the_window_is_held_out()
    {
        TrainingWindow window = Read(new WindowQuery { LastN = 800 }, 0.5);
        int[] indexes = [.. Enumerable.Range(0, window.Rows.Items.Count)];
        WindowSplit split = WindowSplit.Of(window.Rows, indexes, indexes.Length, 0.1, out _, window.Older)!;
        Assert.Equal(window.Rows.TimestampMs[^80], split.SplitMs);
        WindowSplit validation = WindowSplit.Validation(window.Rows, indexes, split, 0.1, window.Older)!;
        Assert.Equal(window.Rows.TimestampMs[^152], validation.SplitMs);
        foreach (int user in window.Rows.User[..window.Older].Distinct()) Assert.False(validation.History.ItemsOf(user).IsEmpty);
    }

    private TrainingWindow Read(WindowQuery query, double share, int seed = 42) => TrainingWindow.Read(_shop.Windows, query, new TrainingPolicy { ReplayShare = share, Seed = seed });

    private static string[] Lines(InteractionWindow window, int from) =>
        [.. Enumerable.Range(from, window.Count - from).Select(n => $"{window.Users[window.User[n]]} {window.Items[window.Item[n]]} {window.Weight[n]:R}@{window.TimestampMs[n]}")];

    public void Dispose() => _shop.Dispose();
}
