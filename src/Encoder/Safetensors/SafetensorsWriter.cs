using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace BeeFormer.Streaming.Encoder;

/// <summary>A tensor to write.</summary>
/// <param name="Data">Little-endian, row-major; asked for once, when its turn comes.</param>
public sealed record SafetensorsTensor(string Name, SafetensorsType Type, IReadOnlyList<long> Shape, Func<ReadOnlyMemory<byte>> Data)
{
    /// <summary>A float32 tensor over an array, row-major.</summary>
    public static SafetensorsTensor Of(string name, float[] values, params long[] shape)
    {
        long count = 1;
        foreach (long size in shape) count = checked(count * size);
        if (count != values.Length) throw new ArgumentException($"Tensor '{name}' of shape [{string.Join(", ", shape)}] has {count} values, {values.Length} were given.", nameof(values));
        return new SafetensorsTensor(name, SafetensorsType.F32, shape, () => MemoryMarshal.AsBytes<float>(values).ToArray());
    }

    /// <summary>A matrix [rows, dimension].</summary>
    public static SafetensorsTensor Of(string name, EmbeddingMatrix matrix) => Of(name, matrix.Values, matrix.Rows, matrix.Dimension);
}

/// <summary>Writes safetensors files: the same tensors give the same bytes.</summary>
public static class SafetensorsWriter
{
    /// <summary>Writes under a temporary name beside it, flushes to disk, then renames: readers see the old file or the whole new one.</summary>
    public static void Write(string path, IReadOnlyList<SafetensorsTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        // Wide elements first keeps every tensor aligned to its element size; otherwise the caller's order stays.
        SafetensorsTensor[] ordered = [.. tensors.OrderByDescending(t => SafetensorsEntry.BytesOf(t.Type))];
        byte[] header = Header(ordered, metadata);
        DurableFiles.Rewrite(path, stream =>
        {
            Span<byte> length = stackalloc byte[SafetensorsHeader.LengthBytes];
            BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach (SafetensorsTensor tensor in ordered)
            {
                ReadOnlyMemory<byte> data = tensor.Data();
                if (data.Length != ByteCount(tensor)) throw new ArgumentException($"Tensor '{tensor.Name}' should have {ByteCount(tensor)} bytes but gave {data.Length}.", nameof(tensors));
                stream.Write(data.Span);
            }
        });
    }

    private static byte[] Header(SafetensorsTensor[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var names = new HashSet<string>(StringComparer.Ordinal) { "__metadata__" };
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal)) json.WriteString(key, value);
                json.WriteEndObject();
            }
            long offset = 0;
            foreach (SafetensorsTensor tensor in tensors)
            {
                if (!names.Add(tensor.Name)) throw new ArgumentException($"Tensor '{tensor.Name}' is given twice or has a reserved name.", nameof(tensors));
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", SafetensorsEntry.NameOf(tensor.Type));
                json.WriteStartArray("shape");
                foreach (long size in tensor.Shape) json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += ByteCount(tensor));
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        // Spaces up to a multiple of 8, so that the data is aligned in the file too.
        int padding = -buffer.WrittenCount & 7;
        buffer.GetSpan(padding)[..padding].Fill((byte)' ');
        buffer.Advance(padding);
        return buffer.WrittenSpan.ToArray();
    }

    private static long ByteCount(SafetensorsTensor tensor)
    {
        long bytes = SafetensorsEntry.BytesOf(tensor.Type);
        foreach (long size in tensor.Shape) bytes = checked(bytes * size);
        return bytes;
    }
}
