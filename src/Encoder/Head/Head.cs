using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// The fast part of a model: an item's vector is a = norm(α·e·W + t·B), where e [d] is the encoder's embedding and t the TF-IDF weights of the text's words.
/// W [d, D] starts as the identity, B [words, D] as random rows seeded by each word's hash, so that words never trained on still match lexically.
/// Immutable once built; safe for several threads.
/// </summary>
public sealed class Head
{
    /// <summary>Length D of an item vector.</summary>
    public int Dimension => throw new NotImplementedException();
    public Fingerprint Fingerprint => throw new NotImplementedException();

    /// <summary>The untrained head over the words of these texts.</summary>
    public static Head Create(int encoderDimension, IReadOnlyList<string> texts, int seed) => throw new NotImplementedException();

    /// <summary>a for every row: one matrix product over cached encoder outputs. Rows have length 1.</summary>
    public EmbeddingMatrix Apply(EmbeddingMatrix encoderOutputs, IReadOnlyList<string> texts) => throw new NotImplementedException();

    public void Save(string folder) => throw new NotImplementedException();
    public static Head Load(string folder) => throw new NotImplementedException();
}
