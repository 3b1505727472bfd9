using System.Text;

namespace BeeFormer.Streaming.ServiceDefaults.Tests;

/// <summary>A span as OTLP writes it.</summary>
/// <param name="Links">Traces that it is linked to.</param>
internal sealed record Span(string Trace, string Id, string Parent, string Name, IReadOnlyList<string> Events, IReadOnlyList<string> Links, IReadOnlyDictionary<string, string> Attributes)
{
    /// <summary>All spans of an <c>ExportTraceServiceRequest</c>: resource_spans (1), scope_spans (2), spans (2).</summary>
    public static IEnumerable<Span> In(ReadOnlyMemory<byte> request) => Fields(request, 1).SelectMany(resource => Fields(resource, 2)).SelectMany(scope => Fields(scope, 2)).Select(Read);

    private static Span Read(ReadOnlyMemory<byte> span) => new(
        Hex(span, 1), Hex(span, 2), Hex(span, 4), Text(span, 5),
        [.. Fields(span, 11).Select(happened => Text(happened, 2))],
        [.. Fields(span, 13).Select(link => Hex(link, 1))],
        Fields(span, 9).ToDictionary(pair => Text(pair, 1), pair => string.Concat(Fields(pair, 2).Select(value => Text(value, 1)))));

    private static string Hex(ReadOnlyMemory<byte> message, int field) => string.Concat(Fields(message, field).Select(bytes => Convert.ToHexStringLower(bytes.Span)));

    private static string Text(ReadOnlyMemory<byte> message, int field) => string.Concat(Fields(message, field).Select(bytes => Encoding.UTF8.GetString(bytes.Span)));

    /// <summary>The length-delimited fields of this number in a protobuf message.</summary>
    private static IEnumerable<ReadOnlyMemory<byte>> Fields(ReadOnlyMemory<byte> message, int wanted)
    {
        int at = 0;
        while (at < message.Length)
        {
            ulong tag = Varint(message, ref at);
            int length = (tag & 7) switch
            {
                0 => 0,
                1 => 8,
                2 => (int)Varint(message, ref at),
                5 => 4,
                var wire => throw new InvalidDataException($"wire type {wire}"),
            };
            if ((tag & 7) == 0) Varint(message, ref at);
            if ((tag & 7) == 2 && (int)(tag >> 3) == wanted) yield return message.Slice(at, length);
            at += length;
        }
    }

    private static ulong Varint(ReadOnlyMemory<byte> message, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = message.Span[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }
    }
}
