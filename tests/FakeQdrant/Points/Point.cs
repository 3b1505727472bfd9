using Google.Protobuf.Collections;

namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>A stored point; never changed, only replaced, so that readers need no lock.</summary>
/// <param name="Vectors">By name; the unnamed vector under "". As stored: cosine ones have length 1.</param>
/// <param name="Version">Number of the operation that last changed it.</param>
internal sealed record Point(PointKey Key, MapField<string, Value> Payload, IReadOnlyDictionary<string, float[]> Vectors, ulong Version)
{
    public RetrievedPoint ToRetrieved(PayloadSelection payload, VectorSelection vectors)
    {
        var answer = new RetrievedPoint { Id = Key.ToId() };
        payload.AddTo(answer.Payload, this);
        if (vectors.Of(this) is { } output) answer.Vectors = output;
        return answer;
    }

    public ScoredPoint ToScored(float score, ulong version, PayloadSelection payload, VectorSelection vectors)
    {
        var answer = new ScoredPoint { Id = Key.ToId(), Score = score, Version = version };
        payload.AddTo(answer.Payload, this);
        if (vectors.Of(this) is { } output) answer.Vectors = output;
        return answer;
    }
}
