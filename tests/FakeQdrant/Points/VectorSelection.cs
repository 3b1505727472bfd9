namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>Which vectors an answer holds; null: none.</summary>
internal sealed class VectorSelection(IReadOnlySet<string>? names, Generation generation)
{
    /// <summary>An unset or empty selector chooses none.</summary>
    /// <exception cref="Grpc.Core.RpcException">A name that the collection does not have.</exception>
    public static VectorSelection Of(WithVectorsSelector? selector, Collection collection, Generation generation)
    {
        if (selector?.Include is not { } include) return new(selector?.Enable == true ? collection.Spaces.Keys.ToHashSet() : null, generation);
        foreach (var name in include.Names) collection.Space(name);
        return new(include.Names.ToHashSet(), generation);
    }

    public VectorsOutput? Of(Point point)
    {
        if (names is null) return null;
        if (point.Vectors.TryGetValue("", out var only)) return names.Contains("") ? new VectorsOutput { Vector = Output(only) } : null;
        var named = new NamedVectorsOutput();
        foreach (var (name, vector) in point.Vectors)
            if (names.Contains(name)) named.Vectors[name] = Output(vector);
        return new VectorsOutput { Vectors = named };
    }

    private VectorOutput Output(float[] vector) =>
        generation.AnswersDenseVectors ? new() { Dense = new DenseVector { Data = { vector } } } : new() { Data = { vector } };
}
