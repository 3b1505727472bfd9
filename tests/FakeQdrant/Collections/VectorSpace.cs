using System.Numerics.Tensors;

namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>The vectors of one name in a collection: their size, and how alike two of them are.</summary>
internal sealed record VectorSpace(string Name, int Size, Distance Distance, Datatype Datatype)
{
    public static VectorSpace Of(string name, VectorParams parameters) => new(name, (int)parameters.Size, parameters.Distance, parameters.Datatype);

    public bool SmallerIsBetter => Distance is Distance.Euclid or Distance.Manhattan;

    /// <exception cref="Grpc.Core.RpcException">Another size.</exception>
    public void CheckSize(IReadOnlyCollection<float> vector)
    {
        if (vector.Count != Size)
            throw Refusal.WrongInput($"Vector dimension error: expected dim: {Size}, got {vector.Count}{(Name.Length == 0 ? "" : $" for vector '{Name}'")}");
    }

    /// <summary>As it is stored and compared: of length 1 if the distance is cosine, in the space's type of number.</summary>
    public float[] Prepare(IReadOnlyCollection<float> sent)
    {
        var vector = sent.ToArray();
        if (Distance == Distance.Cosine)
        {
            var square = TensorPrimitives.SumOfSquares<float>(vector);
            // The server leaves what is nearly zero or nearly of length 1 as it is: 1.1920929e-7 is the epsilon of its floats.
            if (!(square < 1.1920929e-7f || Math.Abs(square - 1) <= 1e-6f)) TensorPrimitives.Divide(vector, MathF.Sqrt(square), vector);
        }
        if (Datatype == Datatype.Float16)
            for (var i = 0; i < vector.Length; i++) vector[i] = (float)(Half)vector[i];
        if (Datatype == Datatype.Uint8)
            for (var i = 0; i < vector.Length; i++) vector[i] = (byte)vector[i];
        return vector;
    }

    /// <summary>The greater the more alike: a distance counts below zero, the Euclidean one squared.</summary>
    public float Similarity(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        switch (Distance)
        {
            case Distance.Euclid:
                var distance = TensorPrimitives.Distance(a, b);
                return -distance * distance;
            case Distance.Manhattan:
                var sum = 0f;
                for (var i = 0; i < a.Length; i++) sum += Math.Abs(a[i] - b[i]);
                return -sum;
            default:
                return TensorPrimitives.Dot(a, b);
        }
    }

    /// <summary>A similarity as the score that answers hold.</summary>
    public float Score(float similarity) => Distance switch
    {
        Distance.Euclid => MathF.Sqrt(-similarity),
        Distance.Manhattan => -similarity,
        _ => similarity,
    };
}
