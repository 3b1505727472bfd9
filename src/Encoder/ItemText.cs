using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Encoder;

/// <summary>How an item becomes the text that is encoded. Placeholders: <c>{title}</c>, <c>{description}</c>.</summary>
/// <param name="Template">Default <c>{title}. {description}</c>; an item without description is its title alone.</param>
public sealed record ItemText(string Template = "{title}. {description}")
{
    public string Of(ItemEvent item) => Of(item.Title, item.Description);

    public string Of(string title, string? description) => string.IsNullOrWhiteSpace(description)
        ? title
        : Template.Replace("{title}", title, StringComparison.Ordinal).Replace("{description}", description, StringComparison.Ordinal);
}
