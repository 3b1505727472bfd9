using Google.Protobuf.Collections;

namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>Which part of a payload an answer holds.</summary>
internal sealed class PayloadSelection(bool enabled, IReadOnlyList<PayloadPath>? include, IReadOnlyList<PayloadPath> exclude)
{
    /// <param name="default">What an unset selector means.</param>
    /// <exception cref="Grpc.Core.RpcException">A selector without a choice.</exception>
    public static PayloadSelection Of(WithPayloadSelector? selector, bool @default) => selector?.SelectorOptionsCase switch
    {
        null => new(@default, null, []),
        WithPayloadSelector.SelectorOptionsOneofCase.Enable => new(selector.Enable, null, []),
        WithPayloadSelector.SelectorOptionsOneofCase.Include => new(true, [.. selector.Include.Fields.Select(PayloadPath.Parse)], []),
        WithPayloadSelector.SelectorOptionsOneofCase.Exclude => new(true, null, [.. selector.Exclude.Fields.Select(PayloadPath.Parse)]),
        _ => throw Refusal.Invalid("No PayloadSelector"),
    };

    public void AddTo(MapField<string, Value> answer, Point point)
    {
        if (!enabled) return;
        if (include is null && exclude.Count == 0) answer.Add(point.Payload);
        else Add(answer, point.Payload, []);
    }

    private void Add(MapField<string, Value> answer, MapField<string, Value> fields, PayloadPath.Step[] prefix)
    {
        foreach (var (key, value) in fields)
        {
            PayloadPath.Step[] place = [.. prefix, new(key, null)];
            if (Wanted(place)) answer[key] = Part(value, place);
        }
    }

    private Value Part(Value value, PayloadPath.Step[] place)
    {
        switch (value.KindCase)
        {
            case Value.KindOneofCase.StructValue:
                var part = new Struct();
                Add(part.Fields, value.StructValue.Fields, place);
                return new Value { StructValue = part };
            case Value.KindOneofCase.ListValue:
                PayloadPath.Step[] element = [.. place, default];
                return new Value { ListValue = new ListValue { Values = { value.ListValue.Values.Where(_ => Wanted(element)).Select(item => Part(item, element)) } } };
            default:
                return value;
        }
    }

    private bool Wanted(PayloadPath.Step[] place) =>
        include?.Any(path => path.Steps.Zip(place).All(pair => pair.First == pair.Second))
        ?? !exclude.Any(path => path.Steps.Count <= place.Length && path.Steps.Zip(place).All(pair => pair.First == pair.Second));
}
