using System.Runtime.InteropServices;
using BeeFormer.Streaming.Encoder;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Takes little-endian, row-major bytes.</summary>
internal delegate void TakeBytes(ReadOnlySpan<byte> bytes);

/// <summary>Memory that a training changes, by a name that stays: can be written out and put back bit by bit.</summary>
internal sealed record StatePart(string Name, SafetensorsType Type, IReadOnlyList<long> Shape, Action<Stream> Save, TakeBytes Restore)
{
    public long Bytes => Shape.Aggregate(4L, (bytes, size) => checked(bytes * size)); // float32 and int32 alone

    public SafetensorsTensor Tensor => new(Name, Type, Shape, Save);

    /// <param name="tensor">float32, on any device.</param>
    public static StatePart Of(string name, Tensor tensor) => new(name, SafetensorsType.F32, tensor.shape, stream =>
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        stream.Write(tensor.cpu().contiguous().bytes);
    }, bytes =>
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor values = empty(tensor.shape, dtype: ScalarType.Float32);
        bytes.CopyTo(values.bytes);
        tensor.copy_(values);
    });

    public static StatePart Of(string name, float[] values) => new(name, SafetensorsType.F32, [values.Length],
        stream => stream.Write(MemoryMarshal.AsBytes(values.AsSpan())), bytes => bytes.CopyTo(MemoryMarshal.AsBytes(values.AsSpan())));

    public static StatePart Of(string name, int[] values) => new(name, SafetensorsType.I32, [values.Length],
        stream => stream.Write(MemoryMarshal.AsBytes(values.AsSpan())), bytes => bytes.CopyTo(MemoryMarshal.AsBytes(values.AsSpan())));

    /// <summary>A part of the same kind that lies in these bytes.</summary>
    public StatePart Over(byte[] bytes, string prefix) => new(prefix + Name, Type, Shape, stream => stream.Write(bytes), given => given.CopyTo(bytes));
}
