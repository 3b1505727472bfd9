using BeeFormer.Streaming.Trainer.Wire;
using Google.Protobuf;
using Grpc.Core;

namespace BeeFormer.Streaming.Trainer;

/// <summary>All weights, or their gradients, as a stream of parts.</summary>
internal static class TensorStream
{
    /// <param name="parts">Must not change before the call has ended.</param>
    public static async Task SendAsync(byte[][] parts, Func<Part, Task> send)
    {
        foreach (byte[] part in parts) await send(new Part { Content = UnsafeByteOperations.UnsafeWrap(part) }).ConfigureAwait(false);
    }

    /// <exception cref="InvalidDataException">Other sizes than expected.</exception>
    public static async Task<byte[][]> ReceiveAsync(IAsyncStreamReader<Part> stream, long bytes, CancellationToken cancellationToken)
    {
        byte[][] parts = TensorBytes.Room(bytes);
        int count = 0;
        while (await stream.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            ByteString content = stream.Current.Content;
            if (count == parts.Length || content.Length != parts[count].Length) throw new InvalidDataException($"content of part {count} has {content.Length} bytes; expected {(count == parts.Length ? 0 : parts[count].Length)}, {bytes} in all.");
            content.Span.CopyTo(parts[count++]);
        }
        return count == parts.Length ? parts : throw new InvalidDataException($"content ended after {count} parts; expected {parts.Length}, {bytes} bytes in all.");
    }
}
