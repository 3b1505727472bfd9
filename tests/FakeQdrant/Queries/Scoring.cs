using System.Numerics.Tensors;

namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>How well a vector answers a query.</summary>
/// <param name="Order">The greater, the better.</param>
/// <param name="Score">What the answer says of such an order.</param>
/// <param name="SmallerIsBetter">Of scores.</param>
internal sealed record Scoring(Func<float[], float> Order, Func<float, float> Score, bool SmallerIsBetter)
{
    public static Scoring Nearest(VectorSpace space, float[] query)
    {
        var prepared = space.Prepare(query);
        return new(vector => space.Similarity(prepared, vector), space.Score, space.SmallerIsBetter);
    }

    /// <exception cref="Grpc.Core.RpcException">The average of no vectors.</exception>
    public static Scoring Recommend(VectorSpace space, RecommendStrategy strategy, IReadOnlyList<float[]> positive, IReadOnlyList<float[]> negative)
    {
        if (strategy == RecommendStrategy.AverageVector)
        {
            if (positive.Count == 0) throw Refusal.WrongInput("Positive vectors should not be empty with `average` strategy");
            var average = Average(positive);
            if (negative.Count == 0) return Nearest(space, average);
            TensorPrimitives.Add<float>(average, average, average);
            TensorPrimitives.Subtract<float>(average, Average(negative), average);
            return Nearest(space, average);
        }
        var liked = positive.Select(space.Prepare).ToArray();
        var disliked = negative.Select(space.Prepare).ToArray();
        return new(strategy == RecommendStrategy.SumScores ? Sum : Best, order => order, false);

        float Sum(float[] vector) => liked.Sum(one => space.Similarity(one, vector)) - disliked.Sum(one => space.Similarity(one, vector));

        float Best(float[] vector)
        {
            var most = liked.Select(one => space.Similarity(one, vector)).DefaultIfEmpty(float.NegativeInfinity).Max();
            var least = disliked.Select(one => space.Similarity(one, vector)).DefaultIfEmpty(float.NegativeInfinity).Max();
            return most > least ? Squashed(most) : -Squashed(least);
        }
    }

    private static float Squashed(float x) => 0.5f * (x / (1 + Math.Abs(x)) + 1);

    private static float[] Average(IReadOnlyList<float[]> vectors)
    {
        var sum = vectors[0].ToArray();
        foreach (var vector in vectors.Skip(1)) TensorPrimitives.Add<float>(sum, vector, sum);
        TensorPrimitives.Divide(sum, vectors.Count, sum);
        return sum;
    }
}
