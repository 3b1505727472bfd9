using System.Text.RegularExpressions;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Encoder;

/// <summary>How an item becomes the text that is encoded. Placeholders: <c>{title}</c>, <c>{description}</c>; everything else stands as it is.</summary>
/// <param name="Template">Default <c>{title}. {description}</c>; an item without description is its title alone.</param>
public sealed partial record ItemText(string Template = "{title}. {description}")
{
    public string Of(ItemEvent item) => Of(item.Title, item.Description);

    // In one pass: a title that contains "{description}" stays as the shop wrote it.
    public string Of(string title, string? description) => string.IsNullOrWhiteSpace(description)
        ? title
        : Placeholder().Replace(Template, placeholder => placeholder.ValueSpan.SequenceEqual("{title}") ? title : description);

    [GeneratedRegex(@"\{title\}|\{description\}")]
    private static partial Regex Placeholder();
}
