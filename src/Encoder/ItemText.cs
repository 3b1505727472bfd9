using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// How an item becomes the text that is encoded. Placeholders: <c>{title}</c>, <c>{description}</c> and <c>{attributes.NAME}</c> (a string, or strings joined by ", "); everything else stands as it is.
/// A placeholder that the item has nothing for goes together with what stands between it and the placeholder before.
/// </summary>
/// <param name="Template">Default <c>{title}. {description}</c>: an item without description is its title alone. <see cref="Problem"/> tells whether it can be used.</param>
public sealed partial record ItemText(string Template = ItemText.DefaultTemplate)
{
    public const string DefaultTemplate = "{title}. {description}";
    public const int MaxLength = 1_000;

    private const string AttributeBegin = "{attributes.";

    /// <returns>What is wrong with a template, to stand after its name; null: nothing.</returns>
    public static string? Problem(string template)
    {
        if (template.Length > MaxLength) return $"has {template.Length} characters; expected at most {MaxLength}";
        if (!template.Contains("{title}", StringComparison.Ordinal)) return $"is '{template}'; expected a text that holds {{title}}";
        foreach (ValueMatch braces in Braces().EnumerateMatches(template))
            if (!Placeholder().IsMatch(template.AsSpan(braces.Index, braces.Length)))
                return $"holds {template.AsSpan(braces.Index, braces.Length)}; expected {{title}}, {{description}} or {{attributes.NAME}}";
        return null;
    }

    /// <summary>The template that a published model was made with.</summary>
    /// <exception cref="InvalidDataException">Names the file and what was expected.</exception>
    public static ItemText Read(string folder) => ItemTextFile.Read(folder);

    public string Of(ItemEvent item) => Fill(item.Title, item.Description, item.Attributes);

    public string Of(string title, string? description) => Fill(title, description, attributes: null);

    /// <summary>
    /// What a head finds an item's words in: the text, then the values of all attributes that are strings, by name in ordinal order; no pair of words reaches from one into the next.
    /// Without such attributes it is the text. Numbers and booleans are left out: alone they name nothing, and "4" or "true" would link items that have no more than that in common.
    /// </summary>
    public string WordsOf(ItemEvent item) => Both(item).Words;

    /// <summary><see cref="Of(ItemEvent)"/> and <see cref="WordsOf"/>.</summary>
    internal (string Text, string Words) Both(ItemEvent item)
    {
        string text = Of(item);
        return (text, string.Join(Words.Break, item.Attributes.OrderBy(attribute => attribute.Key, StringComparer.Ordinal).SelectMany(attribute => Strings(attribute.Value)).Prepend(text)));
    }

    // In one pass: a title that contains "{description}" stays as the shop wrote it.
    private string Fill(string title, string? description, IReadOnlyDictionary<string, JsonElement>? attributes)
    {
        var text = new StringBuilder();
        int next = 0;
        foreach (ValueMatch placeholder in Placeholder().EnumerateMatches(Template))
        {
            string? value = Template.AsSpan(placeholder.Index, placeholder.Length) switch
            {
                "{title}" => title,
                "{description}" => description,
                var attribute => attributes?.TryGetValue(attribute[AttributeBegin.Length..^1].ToString(), out JsonElement given) == true ? string.Join(", ", Strings(given)) : null,
            };
            if (!string.IsNullOrWhiteSpace(value)) text.Append(Template, next, placeholder.Index - next).Append(value);
            next = placeholder.Index + placeholder.Length;
        }
        return text.Append(Template, next, Template.Length - next).ToString();
    }

    private static IEnumerable<string> Strings(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Array => value.EnumerateArray().SelectMany(Strings),
        _ => [],
    };

    [GeneratedRegex(@"\{title\}|\{description\}|\{attributes\.[^{}]+\}")]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"\{[^{}]*\}")]
    private static partial Regex Braces();
}
