using System.Text.Json;

namespace BeeFormer.Streaming.EventLog.Events;

/// <summary>An item's attributes: each a string, a number, a boolean or an array of strings.</summary>
internal static class ItemAttributes
{
    public static Rejection? ReadObject(ref Utf8JsonReader reader, Dictionary<string, JsonElement> attributes)
    {
        if (reader.TokenType != JsonTokenType.StartObject) return JsonFields.Invalid("attributes", "an object of names and values");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            string name = reader.GetString()!;
            reader.Read();
            if (!seen.Add(name)) return JsonFields.Invalid($"attributes.{name}", "to occur once, it occurs twice");
            if (reader.TokenType == JsonTokenType.Null) continue;
            if (ReadValue(ref reader, name, attributes, skipUnfit: false) is { } rejection) return rejection;
        }
        return null;
    }

    /// <param name="skipUnfit">A field beside the known ones that no attribute could hold is passed over, not refused. One of <c>attributes</c> goes before it.</param>
    public static Rejection? ReadValue(ref Utf8JsonReader reader, string name, Dictionary<string, JsonElement> attributes, bool skipUnfit)
    {
        string field = $"attributes.{name}";
        Rejection? problem = name.Length is 0 or > EventLimits.MaxAttributeNameLength
            ? JsonFields.Invalid(field, $"a name of 1 to {EventLimits.MaxAttributeNameLength} characters")
            : Problem(reader, field);
        if (problem is not null)
        {
            if (!skipUnfit) return problem;
            reader.Skip();
            return null;
        }
        if (attributes.Count >= EventLimits.MaxAttributes && !attributes.ContainsKey(name))
            return JsonFields.Invalid("attributes", $"at most {EventLimits.MaxAttributes} of them");
        var value = JsonElement.ParseValue(ref reader);
        if (skipUnfit) attributes.TryAdd(name, value);
        else attributes[name] = value;
        return null;
    }

    // The reader is a copy: looking does not move the caller's.
    private static Rejection? Problem(Utf8JsonReader reader, string field)
    {
        const string Expected = "a string, a number, a boolean or an array of strings";
        switch (reader.TokenType)
        {
            case JsonTokenType.True or JsonTokenType.False: return null;
            case JsonTokenType.Number:
                return reader.TryGetDouble(out double number) && double.IsFinite(number) ? null : JsonFields.Invalid(field, "a finite number");
            case JsonTokenType.String: return TextProblem(ref reader, field);
            case JsonTokenType.StartArray:
                for (int count = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; count++)
                {
                    if (count == EventLimits.MaxAttributeValues) return JsonFields.Invalid(field, $"at most {EventLimits.MaxAttributeValues} strings");
                    if (reader.TokenType != JsonTokenType.String) return JsonFields.Invalid(field, Expected);
                    if (TextProblem(ref reader, field) is { } problem) return problem;
                }
                return null;
            default: return JsonFields.Invalid(field, Expected);
        }
    }

    private static Rejection? TextProblem(ref Utf8JsonReader reader, string field)
    {
        int length = reader.GetString()!.Length; // also refuses what is no Unicode text
        return length > EventLimits.MaxAttributeLength ? JsonFields.Invalid(field, $"at most {EventLimits.MaxAttributeLength} characters, got {length}") : null;
    }
}
