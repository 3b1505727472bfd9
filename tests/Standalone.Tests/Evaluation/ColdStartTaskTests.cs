using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.Standalone.DataSets;
using BeeFormer.Streaming.Standalone.Evaluation;
using BeeFormer.Streaming.Standalone.Tests.DataSets;
using BeeFormer.Streaming.Trainer;

namespace BeeFormer.Streaming.Standalone.Tests.Evaluation;

public sealed class ColdStartTaskTests : IDisposable
{
    private readonly Files files = new();

    public void Dispose() => files.Dispose();

    private ColdStartTask Build(string interactions, IReadOnlySet<ItemId>? cold = null, int seed = 1)
    {
        InteractionTable table = InteractionFile.Read(files.Write("i", "user_id,item_id\n" + interactions), new ColumnNames(), null, TestContext.Current.CancellationToken);
        string items = "item_id,title,text\n" + string.Concat(Enumerable.Range(0, 30).Select(n => $"i{n:D2},Title {n},{(n % 2 == 0 ? "" : "Text")}\n"));
        return ColdStartTasks.Build(table, ItemFile.Read(files.Write("items", items), new ColumnNames(), 0, TestContext.Current.CancellationToken), new ItemText(), cold, seed);
    }

    private static string Touches(string user, params int[] items) => string.Concat(items.Select(item => $"{user},i{item:D2}\n"));

    [Fact]
    public void Users_below_five_distinct_items_are_left_out_and_pairs_count_once()
    {
        ColdStartTask task = Build(Touches("a", 1, 2, 3, 4, 5, 5, 1) + Touches("b", 6, 6, 6, 6, 6, 7), new HashSet<ItemId> { new("i05") });
        Assert.Equal(1, task.Users);
        Assert.Equal(5, task.Item.Length);
        Assert.Equal(["Title 1. Text", "Title 2", "Title 3. Text", "Title 4", "Title 5. Text"], task.ItemTexts);
        Assert.Equal([4], task.Cold);
    }

    [Fact]
    public void A_fifth_of_the_items_is_drawn_by_the_seed_whatever_the_order_of_the_file()
    {
        int[] all = [.. Enumerable.Range(0, 30)];
        ColdStartTask forward = Build(Touches("a", all), seed: 3), backward = Build(Touches("a", [.. all.Reverse()]), seed: 3);
        Assert.Equal(6, forward.Cold.Count);
        Assert.Equal(forward.Cold, backward.Cold);
        Assert.NotEqual(forward.Cold, Build(Touches("a", all), seed: 4).Cold);
    }

    [Fact]
    public void Cold_items_of_another_data_set_are_refused() =>
        Assert.Contains("None of the cold items", Assert.Throws<DataSetException>(() => Build(Touches("a", 1, 2, 3, 4, 5), new HashSet<ItemId> { new("x") })).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("online-retail", null, 3_655, 4_076, 731)]
    [InlineData("goodbooks10k-5pct", 4.0, 9_891, 2_669, 1_978)]
    public void Real_data_gives_the_published_protocol(string name, double? minValue, int withText, int users, int cold)
    {
        if (RealData.Folder(name) is not { } folder)
        {
            Assert.Skip($"the data set {name} is not beside the repository");
            return;
        }
        InteractionTable table = InteractionFile.Read(Path.Combine(folder, "interactions.csv.gz"), new ColumnNames(), minValue, TestContext.Current.CancellationToken);
        IReadOnlyList<ItemEvent> items = ItemFile.Read(Path.Combine(folder, "items.csv.gz"), new ColumnNames(), 0, TestContext.Current.CancellationToken);
        ColdStartTask task = ColdStartTasks.Build(table, items, new ItemText(), ItemFile.ReadIds(Path.Combine(folder, "cold_items.txt")), 1);
        Assert.Equal((users, cold), (task.Users, task.Cold.Count));
        Assert.InRange(task.ItemTexts.Count, withText, withText + 25); // books without a description stand with their title
    }
}
