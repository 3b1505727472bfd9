using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Encoder.Tests;

public sealed class ItemTextTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Cup", "Of tin", "Cup. Of tin")]
    [InlineData("Cup", null, "Cup")]
    [InlineData("Cup", "  ", "Cup")]
    [InlineData("A {description} cup", "Of {title}", "A {description} cup. Of {title}")]
    public void Title_and_description_fill_the_template_once(string title, string? description, string expected) =>
        Assert.Equal(expected, new ItemText().Of(title, description));

    [Theory]
    [InlineData("{title} by {attributes.author}. {description}", "Cup by Ann. Of tin")]
    [InlineData("{title}; {attributes.tags}. {description}", "Cup; red, small. Of tin")]
    [InlineData("{title}, {attributes.size}. {description}", "Cup. Of tin")]           // a number
    [InlineData("{title}, {attributes.new}, {attributes.none}. {description}!", "Cup. Of tin!")]
    [InlineData("{attributes.author}: {title}", "Ann: Cup")]
    [InlineData("Item {title}", "Item Cup")]
    public void Attributes_fill_their_placeholders_and_those_that_are_absent_take_the_text_before_them_along(string template, string expected)
    {
        Assert.Null(ItemText.Problem(template));
        Assert.Equal(expected, new ItemText(template).Of(Item("Cup", "Of tin", """{"tags": ["red", "small"], "author": "Ann", "size": 4, "new": true}""")));
    }

    [Fact]
    public void Words_are_those_of_the_text_and_of_attributes_by_name_and_pairs_end_with_a_value()
    {
        string words = new ItemText().WordsOf(Item("Tin cup", "For tea", """{"tags": ["dark red", "small"], "Author": "Ann Lee", "size": 44, "new": true, "empty": []}"""));
        Assert.Equal(["tin", "cup", "for", "tea", "ann", "lee", "dark", "red", "small"], WordsTests.In(words));
        Assert.Equal(["tin cup", "cup for", "for tea", "ann lee", "dark red"], WordsTests.PairsIn(words));
    }

    [Fact]
    public void Words_of_an_item_without_such_attributes_are_its_text() =>
        Assert.Equal("Cup. Of tin", new ItemText().WordsOf(Item("Cup", "Of tin", """{"size": 44, "new": true}""")));

    [Theory]
    [InlineData("", "holds {title}")]
    [InlineData("{description}", "holds {title}")]
    [InlineData("{title} {titel}", "holds {titel}; expected {title}, {description} or {attributes.NAME}")]
    [InlineData("{title} {}", "holds {};")]
    [InlineData("{title} {attributes.}", "holds {attributes.};")]
    public void A_template_that_cannot_be_used_is_told_why(string template, string expected) => Assert.Contains(expected, ItemText.Problem(template), StringComparison.Ordinal);

    [Fact]
    public void A_template_has_a_thousand_characters_at_most()
    {
        Assert.Null(ItemText.Problem("{title}" + new string('x', 993)));
        Assert.Equal("has 1001 characters; expected at most 1000", ItemText.Problem("{title}" + new string('x', 994)));
    }

    [Theory]
    [InlineData("""{"template": "{titel}"}""", "'template' is '{titel}'")]
    [InlineData("""{"template": 1}""", "'template' is missing")]
    [InlineData("{", "not valid JSON")]
    public void A_damaged_template_of_a_model_is_named(string json, string expected)
    {
        File.WriteAllText(_folder.File("item_text.json"), json);
        string message = Assert.Throws<InvalidDataException>(() => ItemText.Read(_folder.Path)).Message;
        Assert.Contains("item_text.json", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    internal static ItemEvent Item(string title, string? description, string attributes) =>
        new(new ItemId(title), title, description, JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(attributes)!, null, true, 0);
}
