using Google.Protobuf.Collections;

namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>Payloads as the server keeps them.</summary>
internal static class PayloadValues
{
    /// <summary>A copy in which values without a kind are null.</summary>
    /// <exception cref="Grpc.Core.RpcException">A number is not finite.</exception>
    public static MapField<string, Value> Stored(MapField<string, Value> sent)
    {
        var stored = new MapField<string, Value>();
        foreach (var (key, value) in sent) stored[key] = Stored(value);
        return stored;
    }

    public static Value Stored(Value sent) => sent.KindCase switch
    {
        Value.KindOneofCase.None => new Value { NullValue = NullValue.NullValue },
        Value.KindOneofCase.DoubleValue when !double.IsFinite(sent.DoubleValue) => throw Refusal.Invalid("cannot convert to json number"),
        Value.KindOneofCase.ListValue => new Value { ListValue = new ListValue { Values = { sent.ListValue.Values.Select(Stored) } } },
        Value.KindOneofCase.StructValue => new Value { StructValue = new Struct { Fields = { Stored(sent.StructValue.Fields) } } },
        _ => sent,
    };

    /// <summary>The payload after the changes at the path (null: top level) were merged into it; the original stays. A change to null removes.</summary>
    public static MapField<string, Value> Merged(MapField<string, Value> payload, MapField<string, Value> changes, PayloadPath? path)
    {
        var copy = payload.Clone();
        if (path is null) Merge(copy, changes);
        else Set(copy, path, 0, changes);
        return copy;
    }

    /// <summary>The payload without what is at these paths; the original stays.</summary>
    public static MapField<string, Value> Without(MapField<string, Value> payload, IEnumerable<PayloadPath> paths)
    {
        var copy = payload.Clone();
        foreach (var path in paths) Remove(copy, path, 0);
        return copy;
    }

    private static void Remove(MapField<string, Value> fields, PayloadPath path, int at)
    {
        if (at == path.Steps.Count - 1) fields.Remove(path.Steps[at].Key!);
        else if (fields.TryGetValue(path.Steps[at].Key!, out var value)) Remove(value, path, at + 1);
    }

    private static void Remove(Value value, PayloadPath path, int at)
    {
        if (path.Steps[at].Key is not null)
        {
            if (value.StructValue is { } inner) Remove(inner.Fields, path, at);
            return;
        }
        if (value.ListValue is not { } list) return;
        var last = at == path.Steps.Count - 1;
        if (last && path.Steps[at].Index is null) list.Values.Clear();
        for (var i = list.Values.Count - 1; i >= 0; i--)
            if (path.Steps[at].Index is not { } index || index == i)
                if (last) list.Values.RemoveAt(i);
                else Remove(list.Values[i], path, at + 1);
    }

    private static void Merge(MapField<string, Value> target, MapField<string, Value> changes)
    {
        foreach (var (key, value) in changes)
            if (value.KindCase == Value.KindOneofCase.NullValue) target.Remove(key);
            else target[key] = value;
    }

    private static void Set(MapField<string, Value> fields, PayloadPath path, int at, MapField<string, Value> changes)
    {
        var key = path.Steps[at].Key!;
        if (!fields.TryGetValue(key, out var value)) fields[key] = value = new Value { StructValue = new Struct() };
        Set(value, path, at + 1, changes);
    }

    private static void Set(Value value, PayloadPath path, int at, MapField<string, Value> changes)
    {
        if (at < path.Steps.Count && path.Steps[at].Key is null)
        {
            if (value.KindCase != Value.KindOneofCase.ListValue) { value.ListValue = new ListValue(); return; }
            var elements = value.ListValue.Values;
            for (var i = 0; i < elements.Count; i++)
                if (path.Steps[at].Index is not { } index || index == i) Set(elements[i], path, at + 1, changes);
            return;
        }
        if (value.KindCase != Value.KindOneofCase.StructValue) value.StructValue = new Struct();
        if (at == path.Steps.Count) Merge(value.StructValue.Fields, changes);
        else Set(value.StructValue.Fields, path, at, changes);
    }
}
