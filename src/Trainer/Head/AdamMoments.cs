using System.Numerics;
using System.Runtime.InteropServices;

namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// Adam (Kingma, Ba 2015) for the rows of a matrix, without weight decay: only rows that have a gradient are moved and counted, so a step costs what it touches.
/// The bias correction uses a row's own number of updates: a row first met late is not overshot.
/// </summary>
internal sealed partial class AdamMoments(int rows, int width)
{
    private const float Decay1 = 0.9f;
    private const float Decay2 = 0.999f;
    private readonly float[] _first = new float[(long)rows * width];
    private readonly float[] _second = new float[(long)rows * width];
    private readonly int[] _updates = new int[rows];

    /// <summary>Moves row <paramref name="row"/> of <paramref name="values"/> against its gradient. Different rows may be updated at the same time.</summary>
    public void Update(int row, Span<float> values, ReadOnlySpan<float> gradient, float learningRate, float epsilon)
    {
        int updates = ++_updates[row];
        float step = (float)(learningRate / (1 - Math.Pow(Decay1, updates)));
        float secondScale = (float)(1 / Math.Sqrt(1 - Math.Pow(Decay2, updates)));
        var first = _first.AsSpan(row * width, width);
        var second = _second.AsSpan(row * width, width);
        var v = MemoryMarshal.Cast<float, Vector<float>>(values);
        var g = MemoryMarshal.Cast<float, Vector<float>>(gradient);
        var m1 = MemoryMarshal.Cast<float, Vector<float>>(first);
        var m2 = MemoryMarshal.Cast<float, Vector<float>>(second);
        for (int i = 0; i < v.Length; i++)
        {
            m1[i] = m1[i] * Decay1 + g[i] * (1 - Decay1);
            m2[i] = m2[i] * Decay2 + g[i] * g[i] * (1 - Decay2);
            v[i] -= m1[i] * step / (Vector.SquareRoot(m2[i]) * secondScale + new Vector<float>(epsilon));
        }
        for (int i = v.Length * Vector<float>.Count; i < width; i++)
        {
            first[i] = first[i] * Decay1 + gradient[i] * (1 - Decay1);
            second[i] = second[i] * Decay2 + gradient[i] * gradient[i] * (1 - Decay2);
            values[i] -= first[i] * step / (MathF.Sqrt(second[i]) * secondScale + epsilon);
        }
    }
}
