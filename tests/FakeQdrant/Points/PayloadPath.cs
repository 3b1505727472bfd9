using System.Globalization;
using System.Text;
using Google.Protobuf.Collections;

namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>A place in payloads: <c>a.b</c>, <c>list[].b</c>, <c>list[0]</c>, <c>"any key".b</c>.</summary>
internal sealed record PayloadPath(string Text, IReadOnlyList<PayloadPath.Step> Steps)
{
    /// <param name="Key">Null: an element of a list; <paramref name="Index"/> null: each of them.</param>
    public readonly record struct Step(string? Key, int? Index);

    /// <exception cref="Grpc.Core.RpcException">No path.</exception>
    public static PayloadPath Parse(string text)
    {
        var steps = new List<Step>();
        var at = 0;
        do
        {
            if (at > 0) at++;
            steps.Add(new(Key(text, ref at) ?? throw Invalid(text), null));
            while (at < text.Length && text[at] == '[')
            {
                var end = text.IndexOf(']', at);
                if (end < 0) throw Invalid(text);
                var inside = text[(at + 1)..end];
                if (inside.Length == 0) steps.Add(default);
                else if (int.TryParse(inside, NumberStyles.None, CultureInfo.InvariantCulture, out var index)) steps.Add(new(null, index));
                else throw Invalid(text);
                at = end + 1;
            }
        }
        while (at < text.Length && text[at] == '.');
        return at == text.Length ? new(text, steps) : throw Invalid(text);
    }

    /// <summary>What the payload has there.</summary>
    public IEnumerable<Value> In(MapField<string, Value> payload) =>
        payload.TryGetValue(Steps[0].Key!, out var value) ? In(value, 1) : [];

    private IEnumerable<Value> In(Value value, int at)
    {
        if (at == Steps.Count) return [value];
        var step = Steps[at];
        if (step.Key is { } key)
            return value.KindCase == Value.KindOneofCase.StructValue && value.StructValue.Fields.TryGetValue(key, out var field) ? In(field, at + 1) : [];
        if (value.KindCase != Value.KindOneofCase.ListValue) return [];
        var elements = value.ListValue.Values;
        if (step.Index is not { } index) return elements.SelectMany(element => In(element, at + 1));
        return index < elements.Count ? In(elements[index], at + 1) : [];
    }

    private static string? Key(string text, ref int at)
    {
        var start = at;
        if (at < text.Length && text[at] == '"')
        {
            var end = text.IndexOf('"', at + 1);
            if (end < 0 || text.AsSpan(at, end - at).Contains('\\')) return null;
            at = end + 1;
            return text[(start + 1)..end];
        }
        while (at < text.Length && Rune.GetRuneAt(text, at) is var rune && (Rune.IsLetterOrDigit(rune) || rune.Value is '_' or '-')) at += rune.Utf16SequenceLength;
        return at > start ? text[start..at] : null;
    }

    private static Grpc.Core.RpcException Invalid(string text) => Refusal.Invalid($"Invalid json path: '{text}'");
}
