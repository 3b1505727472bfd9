using Confluent.Kafka;

namespace BeeFormer.Streaming.EventLog.Kafka;

/// <summary>Copies a key or value out of the client's memory into one array that lasts until the next: whose batch the bytes belong to is only known afterwards.</summary>
internal sealed class ReusedBuffer : IDeserializer<ReadOnlyMemory<byte>?>
{
    private byte[] _bytes = new byte[4096];

    public ReadOnlyMemory<byte>? Deserialize(ReadOnlySpan<byte> data, bool isNull, SerializationContext context)
    {
        if (isNull) return null;
        if (_bytes.Length < data.Length) _bytes = new byte[Math.Max(data.Length, 2 * _bytes.Length)];
        data.CopyTo(_bytes);
        return _bytes.AsMemory(0, data.Length);
    }
}
