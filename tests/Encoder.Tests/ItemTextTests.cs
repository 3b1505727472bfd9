namespace BeeFormer.Streaming.Encoder.Tests;

public sealed class ItemTextTests
{
    [Theory]
    [InlineData("Cup", "Of tin", "Cup. Of tin")]
    [InlineData("Cup", null, "Cup")]
    [InlineData("Cup", "  ", "Cup")]
    [InlineData("A {description} cup", "Of {title}", "A {description} cup. Of {title}")]
    public void Title_and_description_fill_the_template_once(string title, string? description, string expected) =>
        Assert.Equal(expected, new ItemText().Of(title, description));
}
