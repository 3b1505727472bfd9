using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// The fast part of a model: an item's vector is a = norm(α·e·W + t·B), where e [d] is the encoder's embedding (scaled to length 1) and t the TF-IDF weights of the text's words.
/// W [d, D] starts as the identity, B [words, D] as random rows seeded by each word's hash, so that words never trained on still match lexically. A pair of neighbouring words counts as a word.
/// Words outside the vocabulary are ignored. Immutable once built; safe for several threads.
/// </summary>
public sealed class Head
{
    private const int RowsPerBlock = 64;

    private readonly float[] _projection; // W [d, D]
    private readonly float[] _wordRows;   // B [words, D]

    internal Head(HeadShape shape, Vocabulary vocabulary, float[] projection, float[] wordRows)
    {
        if (projection.LongLength != (long)shape.EncoderDimension * shape.Dimension)
            throw new ArgumentException($"W has {projection.LongLength} values, expected {shape.EncoderDimension} x {shape.Dimension}.", nameof(projection));
        if (wordRows.LongLength != (long)vocabulary.Words.Count * shape.Dimension)
            throw new ArgumentException($"B has {wordRows.LongLength} values, expected {vocabulary.Words.Count} x {shape.Dimension}.", nameof(wordRows));
        Shape = shape;
        Vocabulary = vocabulary;
        _projection = projection;
        _wordRows = wordRows;
        Fingerprint = ComputeFingerprint();
    }

    public HeadShape Shape { get; }
    public Vocabulary Vocabulary { get; }
    /// <summary>Length d of an encoder output.</summary>
    public int EncoderDimension => Shape.EncoderDimension;
    /// <summary>Length D of an item vector.</summary>
    public int Dimension => Shape.Dimension;
    /// <summary>SHA-256 over W, B, words, idf, α, seed and the rules that find words.</summary>
    public Fingerprint Fingerprint { get; }
    /// <summary>W, row-major [d, D].</summary>
    public ReadOnlyMemory<float> Projection => _projection;
    /// <summary>B, row-major [words, D].</summary>
    public ReadOnlyMemory<float> WordRows => _wordRows;

    /// <summary>The untrained head over the words of these texts.</summary>
    public static Head Create(int encoderDimension, IReadOnlyList<string> texts, int seed) => Create(new HeadShape(encoderDimension, encoderDimension, seed), texts);

    /// <inheritdoc cref="Create(int, IReadOnlyList{string}, int)"/>
    public static Head Create(HeadShape shape, IReadOnlyList<string> texts)
    {
        shape.Check();
        var projection = new float[shape.EncoderDimension * shape.Dimension];
        for (int i = 0; i < Math.Min(shape.EncoderDimension, shape.Dimension); i++) projection[i * shape.Dimension + i] = 1;
        var vocabulary = Vocabulary.Of(texts, shape.MinTexts, shape.MaxWords, shape.Pairs);
        return new Head(shape, vocabulary, projection, RowsOf(shape, vocabulary, known: null));
    }

    /// <summary>The same head over a newer catalogue: words and idf of these texts; W and the rows of known words are kept, new words get their hash rows.</summary>
    public Head WithTexts(IReadOnlyList<string> texts)
    {
        var vocabulary = Vocabulary.Of(texts, Shape.MinTexts, Shape.MaxWords, Shape.Pairs);
        return new Head(Shape, vocabulary, _projection, RowsOf(Shape, vocabulary, known: this));
    }

    /// <summary>The same words with other weights; the arrays become the head's own.</summary>
    public Head WithWeights(float[] projection, float[] wordRows) => new(Shape, Vocabulary, projection, wordRows);

    /// <summary>t of each text: see <see cref="Vocabulary.TfIdf"/>.</summary>
    public SparseRows TfIdf(IReadOnlyList<string> texts) => Vocabulary.TfIdf(texts);

    /// <summary>a for every row: one matrix product over cached encoder outputs. Rows have length 1.</summary>
    public EmbeddingMatrix Apply(EmbeddingMatrix encoderOutputs, IReadOnlyList<string> texts) => Apply(encoderOutputs, TfIdf(texts));

    /// <summary>
    /// a for every row. Rows have length 1, and do not depend on the batch they are computed in.
    /// A text without known words whose embedding is zero gets the hash row of the empty word: a direction of its own, close to orthogonal to all others.
    /// </summary>
    public EmbeddingMatrix Apply(EmbeddingMatrix encoderOutputs, SparseRows words)
    {
        if (encoderOutputs.Dimension != EncoderDimension)
            throw new ArgumentException($"Encoder outputs have {encoderOutputs.Dimension} dimensions; this head was made for {EncoderDimension}.", nameof(encoderOutputs));
        if (encoderOutputs.Rows != words.Count)
            throw new ArgumentException($"{encoderOutputs.Rows} encoder outputs for {words.Count} texts.", nameof(words));
        var vectors = EmbeddingMatrix.Zeros(words.Count, Dimension);
        RowBlocks.ForEach(words.Count, RowsPerBlock, (first, end) =>
        {
            var factors = new float[(end - first) * EncoderDimension];
            for (int row = first; row < end; row++) FillFactors(encoderOutputs.Row(row), row, factors.AsSpan((row - first) * EncoderDimension, EncoderDimension));
            RowProduct.Fill(factors, EncoderDimension, _projection, vectors.Values.AsSpan(first * Dimension, (end - first) * Dimension));
            for (int row = first; row < end; row++) AddWords(words, row, vectors.Row(row));
        });
        return vectors;
    }

    /// <summary>α·e, e scaled to length 1.</summary>
    private void FillFactors(ReadOnlySpan<float> encoderOutput, int row, Span<float> factors)
    {
        float length = MathF.Sqrt(RowArithmetic.Dot(encoderOutput, encoderOutput));
        if (!float.IsFinite(length)) throw new ArgumentException($"Encoder output {row} holds a value that is not finite, or too large.");
        if (length == 0) return;
        for (int i = 0; i < factors.Length; i++) factors[i] = Shape.Alpha * encoderOutput[i] / length;
    }

    private void AddWords(SparseRows words, int row, Span<float> vector)
    {
        var columns = words.Columns(row);
        var values = words.Values(row);
        for (int n = 0; n < columns.Length; n++) RowArithmetic.AddScaled(_wordRows.AsSpan(columns[n] * Dimension, Dimension), values[n], vector);
        if (RowArithmetic.Normalize(vector) > 0) return;
        WordRow.Fill("", Shape.Seed, vector);
        RowArithmetic.Normalize(vector);
    }

    private static float[] RowsOf(HeadShape shape, Vocabulary vocabulary, Head? known)
    {
        var rows = new float[(long)vocabulary.Words.Count * shape.Dimension];
        for (int word = 0; word < vocabulary.Words.Count; word++)
        {
            var row = rows.AsSpan(word * shape.Dimension, shape.Dimension);
            int old = known?.Vocabulary.IndexOf(vocabulary.Words[word]) ?? -1;
            if (old >= 0) known!._wordRows.AsSpan(old * shape.Dimension, shape.Dimension).CopyTo(row);
            else WordRow.Fill(vocabulary.Words[word], shape.Seed, row);
        }
        return rows;
    }

    private Fingerprint ComputeFingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        // Heads without pairs or attributes are named as before there were any.
        hash.AppendData(Encoding.UTF8.GetBytes($"head {(Shape.Pairs ? 2 : 1)}{(Shape.Attributes ? " attributes" : "")}\n{Words.Rule}\n{EncoderDimension} {Dimension} {Shape.Seed} {Vocabulary.Words.Count}\n"));
        hash.AppendData(MemoryMarshal.AsBytes([Shape.Alpha]));
        // Words hold letters, marks and digits only, pairs a space: the line feed separates them.
        foreach (string word in Vocabulary.Words) hash.AppendData(Encoding.UTF8.GetBytes(word + "\n"));
        hash.AppendData(MemoryMarshal.AsBytes(Vocabulary.Idf.ToArray().AsSpan()));
        hash.AppendData(MemoryMarshal.AsBytes(_projection.AsSpan()));
        hash.AppendData(MemoryMarshal.AsBytes(_wordRows.AsSpan()));
        return new Fingerprint(Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    /// <summary>Writes <c>head.json</c> and <c>head.safetensors</c> into the folder: see <see cref="HeadFiles"/>.</summary>
    public void Save(string folder) => HeadFiles.Write(this, folder);

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">Names the file and what was expected.</exception>
    public static Head Load(string folder) => HeadFiles.Read(folder);
}
