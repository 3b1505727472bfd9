using System.Runtime.InteropServices;
using BeeFormer.Streaming.Encoder;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Tensors of float32, one behind the other, as bytes in parts that fit a message.</summary>
internal static class TensorBytes
{
    public const int PartBytes = 1 << 20;

    public static long Length(IReadOnlyList<Tensor> tensors) => tensors.Sum(tensor => tensor.numel()) * sizeof(float);

    public static byte[][] Room(long bytes) => [.. Enumerable.Range(0, checked((int)((bytes + PartBytes - 1) / PartBytes))).Select(n => new byte[Math.Min(PartBytes, bytes - (long)n * PartBytes)])];

    /// <summary>Fills parts of the right size.</summary>
    public static void Read(IEnumerable<Tensor> tensors, byte[][] parts)
    {
        using var noGradients = no_grad();
        long at = 0;
        foreach (Tensor tensor in tensors)
        {
            using var scope = NewDisposeScope();
            at = Copy(tensor.detach().cpu().contiguous().bytes, parts, at, (source, part) => source.CopyTo(part));
        }
    }

    /// <summary>target[n] = what the parts hold.</summary>
    public static void Write(byte[][] parts, IReadOnlyList<Tensor> targets) => Each(parts, targets, (target, values) => target.copy_(values));

    /// <summary>target[n] += what the parts hold.</summary>
    public static void Add(byte[][] parts, IReadOnlyList<Tensor> targets) => Each(parts, targets, (target, values) => target.PlusInPlace(values));

    public static bool AreFinite(ReadOnlySpan<byte> floats)
    {
        foreach (float value in MemoryMarshal.Cast<byte, float>(floats))
            if (!float.IsFinite(value)) return false;
        return true;
    }

    private static void Each(byte[][] parts, IReadOnlyList<Tensor> targets, Action<Tensor, Tensor> put)
    {
        using var noGradients = no_grad();
        long at = 0;
        foreach (Tensor target in targets)
        {
            using var scope = NewDisposeScope();
            Tensor values = empty(target.shape, dtype: ScalarType.Float32);
            at = Copy(values.bytes, parts, at, (tensor, part) => part.CopyTo(tensor));
            put(target, values.to(target.device));
        }
    }

    private delegate void CopyPiece(Span<byte> tensor, Span<byte> part);

    /// <returns>Where the next tensor begins.</returns>
    private static long Copy(Span<byte> tensor, byte[][] parts, long at, CopyPiece copy)
    {
        while (!tensor.IsEmpty)
        {
            Span<byte> part = parts[at / PartBytes].AsSpan((int)(at % PartBytes));
            int count = Math.Min(part.Length, tensor.Length);
            copy(tensor[..count], part[..count]);
            tensor = tensor[count..];
            at += count;
        }
        return at;
    }
}
