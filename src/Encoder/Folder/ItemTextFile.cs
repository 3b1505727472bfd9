namespace BeeFormer.Streaming.Encoder;

/// <summary><c>item_text.json</c> in a model's folder: <c>template</c>, how the model's items become texts. Absent: the default template, as before there was another. No file of the encoder's.</summary>
internal static class ItemTextFile
{
    internal const string Name = "item_text.json";

    /// <exception cref="InvalidDataException">Names the file and what was expected.</exception>
    internal static ItemText Read(string folder)
    {
        if (JsonFile.TryRead(Path.Combine(folder, Name)) is not { } json) return new ItemText();
        string template = json.Text(json.Root, "template");
        return ItemText.Problem(template) is { } problem ? throw json.Bad($"'template' {problem}") : new ItemText(template);
    }

    internal static void Write(string folder, ItemText text)
    {
        if (text.Template != ItemText.DefaultTemplate) JsonFile.Write(Path.Combine(folder, Name), json =>
        {
            json.WriteStartObject();
            json.WriteString("template", text.Template);
            json.WriteEndObject();
        });
    }
}
