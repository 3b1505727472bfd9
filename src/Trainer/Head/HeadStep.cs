using System.Runtime.InteropServices;
using BeeFormer.Streaming.Encoder;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>W and B while they are learned: one step from drawn items to moved weights. y = α·e·W + t·B, a = y / |y|.</summary>
internal sealed partial class HeadStep
{
    /// <summary>Added to the root of Adam's second moment. The loss is a mean over users × items, so gradients of rare words are of this size: it holds them back, which measured as good as not.</summary>
    internal const float Epsilon = 1e-8f;

    private readonly Head _head;
    private readonly EmbeddingMatrix _encoderOutputs;
    private readonly SparseRows _words;
    private readonly HeadTrainingOptions _options;
    private readonly ParallelOptions _parallel;
    private readonly float[] _projection;
    private readonly float[] _wordRows;
    private readonly AdamMoments _projectionMoments;
    private readonly AdamMoments _wordMoments;
    private readonly WordDropout _dropout;
    private readonly int[] _touched; // scratch: place of a word among the words of a draw, −1 outside

    public HeadStep(Head start, EmbeddingMatrix encoderOutputs, SparseRows words, HeadTrainingOptions options)
    {
        _head = start;
        _encoderOutputs = encoderOutputs;
        _words = words;
        _options = options;
        _parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Threads };
        _projection = start.Projection.ToArray();
        _wordRows = start.WordRows.ToArray();
        _projectionMoments = new AdamMoments(start.EncoderDimension, start.Dimension);
        _wordMoments = new AdamMoments(start.Vocabulary.Words.Count, start.Dimension);
        _dropout = new WordDropout(options.WordDropout, options.Seed);
        _touched = new int[start.Vocabulary.Words.Count];
        Array.Fill(_touched, -1);
    }

    /// <summary>Words are left out from now on as after so many steps.</summary>
    public void Skip(int steps)
    {
        for (int n = 0; n < steps; n++) _dropout.Next();
    }

    public Head Finish() => _head.WithWeights(_projection, _wordRows);

    /// <param name="rate">Factor on both learning rates.</param>
    /// <returns>The loss before the step.</returns>
    public double Run(ItemDraw draw, float rate)
    {
        int d = _head.EncoderDimension;
        var outputs = new float[draw.Items.Length * d];
        for (int j = 0; j < draw.Items.Length; j++) _encoderOutputs.Row(draw.Items[j]).CopyTo(outputs.AsSpan(j * d, d));
        return Run(draw, outputs, rate, outputGradient: []);
    }

    /// <summary>The same on encoder outputs that are given.</summary>
    /// <param name="e">[items of the draw, d], of any length; scaled to length 1 in place.</param>
    /// <param name="outputGradient">Filled with ∂loss/∂e for e as it was given; empty: not wanted.</param>
    public double Run(ItemDraw draw, float[] e, float rate, Span<float> outputGradient)
    {
        outputGradient.Clear();
        if (draw.Users == 0) return 0;
        _dropout.Next();
        int m = draw.Items.Length, d = _head.EncoderDimension, width = _head.Dimension;
        var outputLengths = new float[m];
        for (int j = 0; j < m; j++) outputLengths[j] = RowArithmetic.Normalize(e.AsSpan(j * d, d));
        float[] items = Product(e, m, d, _projection, d, width, transposeLeft: false); // [m, D]
        var lengths = new float[m];
        Parallel.For(0, m, _parallel, j =>
        {
            var y = items.AsSpan(j * width, width);
            RowArithmetic.Scale(y, _head.Shape.Alpha);
            var columns = _words.Columns(draw.Items[j]);
            var values = _words.Values(draw.Items[j]);
            for (int n = 0; n < columns.Length; n++)
                if (_dropout.Keeps(draw.Items[j], columns[n])) RowArithmetic.AddScaled(_wordRows.AsSpan(columns[n] * width, width), values[n] * _dropout.Scale, y);
            lengths[j] = RowArithmetic.Normalize(y);
        });

        var gradient = new float[m * width];
        double loss = NmseLoss.Compute(draw, items, width, gradient, _parallel);
        Parallel.For(0, m, _parallel, j => ThroughNormalization(items.AsSpan(j * width, width), lengths[j], gradient.AsSpan(j * width, width)));

        if (!outputGradient.IsEmpty)
        {
            Product(gradient, m, width, _projection, d, width, transposeLeft: false, transposeRight: true).CopyTo(outputGradient); // ∂loss/∂y·Wᵀ [m, d]
            RowArithmetic.Scale(outputGradient, _head.Shape.Alpha);
            for (int j = 0; j < m; j++) ThroughNormalization(e.AsSpan(j * d, d), outputLengths[j], outputGradient.Slice(j * d, d));
        }
        float[] projectionGradient = Product(e, m, d, gradient, m, width, transposeLeft: true); // eᵀ·∂loss/∂y [d, D]
        RowArithmetic.Scale(projectionGradient, _head.Shape.Alpha);
        float projectionRate = _options.ProjectionLearningRate * rate;
        Parallel.For(0, d, _parallel, i => _projectionMoments.Update(i, _projection.AsSpan(i * width, width), projectionGradient.AsSpan(i * width, width), projectionRate, Epsilon));
        MoveWordRows(draw.Items, gradient, _options.WordLearningRate * rate);
        return loss;
    }

    /// <summary>∂loss/∂a becomes ∂loss/∂y: what lies along a is lost in the scaling.</summary>
    internal static void ThroughNormalization(ReadOnlySpan<float> a, float length, Span<float> gradient)
    {
        if (length == 0)
        {
            gradient.Clear();
            return;
        }
        RowArithmetic.AddScaled(a, -RowArithmetic.Dot(a, gradient), gradient);
        RowArithmetic.Scale(gradient, 1 / length);
    }

    /// <summary>∂loss/∂B = tᵀ·∂loss/∂y, one word of the draw at a time; a word's gradient is used where it is made. What dropout left out takes no part.</summary>
    private void MoveWordRows(int[] items, float[] gradient, float learningRate)
    {
        int width = _head.Dimension;
        // The draw's part of t, by word: occurrences of word w are those from start[w] on.
        var words = new List<int>();
        var counts = new List<int>();
        foreach (int item in items)
            foreach (int word in _words.Columns(item))
            {
                if (!_dropout.Keeps(item, word)) continue;
                if (_touched[word] < 0)
                {
                    _touched[word] = words.Count;
                    words.Add(word);
                    counts.Add(0);
                }
                counts[_touched[word]]++;
            }
        var start = new int[words.Count + 1];
        for (int w = 0; w < words.Count; w++) start[w + 1] = start[w] + counts[w];
        var next = start[..^1];
        var occurrence = new (int Row, float Value)[start[^1]];
        for (int j = 0; j < items.Length; j++)
        {
            var columns = _words.Columns(items[j]);
            var values = _words.Values(items[j]);
            for (int n = 0; n < columns.Length; n++)
                if (_dropout.Keeps(items[j], columns[n])) occurrence[next[_touched[columns[n]]]++] = (j, values[n] * _dropout.Scale);
        }
        Parallel.For(0, words.Count, _parallel, () => new float[width], (w, _, sum) =>
        {
            Array.Clear(sum);
            for (int n = start[w]; n < start[w + 1]; n++) RowArithmetic.AddScaled(gradient.AsSpan(occurrence[n].Row * width, width), occurrence[n].Value, sum);
            _wordMoments.Update(words[w], _wordRows.AsSpan(words[w] * width, width), sum, learningRate, Epsilon);
            return sum;
        }, _ => { });
        foreach (int word in words) _touched[word] = -1;
    }

    private static float[] Product(float[] left, int leftRows, int leftColumns, float[] right, int rightRows, int rightColumns, bool transposeLeft, bool transposeRight = false)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var a = tensor(left, [leftRows, leftColumns]);
        var b = tensor(right, [rightRows, rightColumns]);
        var product = mm(transposeLeft ? a.t() : a, transposeRight ? b.t() : b);
        return MemoryMarshal.Cast<byte, float>(product.bytes).ToArray();
    }
}
