using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Standalone.DataSets;

namespace BeeFormer.Streaming.Standalone.Tests.DataSets;

public sealed class ItemFileTests : IDisposable
{
    private readonly Files files = new();

    public void Dispose() => files.Dispose();

    private IReadOnlyList<ItemEvent> Read(string content) => ItemFile.Read(files.Write("items.csv", content), new ColumnNames(), 5, TestContext.Current.CancellationToken);

    [Fact]
    public void An_item_without_text_is_its_title_alone()
    {
        IReadOnlyList<ItemEvent> items = Read("item_id,title,text\n1,Red mug,A mug that is red\n2,Blue mug,\n");
        Assert.Equal(("Red mug", "A mug that is red"), (items[0].Title, items[0].Description));
        Assert.Equal(("Blue mug", null), (items[1].Title, items[1].Description));
    }

    [Fact]
    public void The_text_column_may_be_absent() => Assert.Null(Read("item_id,title\n1,Red mug\n")[0].Description);

    [Theory]
    [InlineData("item_id,title\n1,a\n1,b\n", "line 3: item_id 1 stands in line 2 already")]
    [InlineData("item_id,title,text\n1,,\n", "line 2: item 1 has neither title nor text")]
    [InlineData("item_id,name\n1,a\n", "has no column title")]
    [InlineData("item_id,title\n", "has no rows")]
    public void Bad_catalogues_are_refused(string content, string expected) =>
        Assert.Contains(expected, Assert.Throws<DataSetException>(() => Read(content)).Message, StringComparison.Ordinal);

    [Fact]
    public void Cold_items_are_one_id_a_line() =>
        Assert.Equal(["10", "20"], ItemFile.ReadIds(files.Write("cold.txt", "10\n\n20\r\n")).Select(id => id.Value).Order());
}
