using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace BeeFormer.Streaming.VectorIndex.Embedded;

/// <summary>
/// Gathers attributes row by row and lays them out for <see cref="AttributeColumns"/>. A column after the other, each aligned to 8 bytes: kind, bytes of the name, keys, entries, bytes of texts (4 bytes each), name;
/// then of numbers, flags and times: a value (8 bytes) for each entry, its row (4 bytes); of texts: where each text and its rows begin, rows, texts.
/// </summary>
internal sealed class AttributeColumnsWriter
{
    public const int HeaderBytes = 5 * 4;
    private readonly Dictionary<string, Attribute> attributes = new(StringComparer.Ordinal);

    public static long Aligned(long bytes) => (bytes + 7) & ~7L;

    /// <param name="json">An object.</param>
    public void Add(int row, ReadOnlySpan<byte> json)
    {
        if (json.Length <= 2) return;
        var reader = new Utf8JsonReader(json);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var attribute = AttributeOf(ref reader);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartArray) AddValue(ref reader, attribute, row);
            else
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) AddValue(ref reader, attribute, row);
        }
    }

    public byte[] ToBytes()
    {
        using var bytes = new MemoryStream();
        foreach (var (name, attribute) in attributes)
        {
            WriteTexts(bytes, name, attribute);
            WriteValues(bytes, name, AttributeKind.Number, attribute.Numbers);
            WriteValues(bytes, name, AttributeKind.Flag, attribute.Flags);
            WriteValues(bytes, name, AttributeKind.Time, [.. attribute.Texts.Where(text => attribute.Times[text.Key] is not null).Select(text => (attribute.Times[text.Key]!.Value, text.Row))]);
        }
        return bytes.ToArray();
    }

    /// <summary>As <see cref="AttributeValue.Of(JsonElement)"/>.</summary>
    private static void AddValue(ref Utf8JsonReader reader, Attribute attribute, int row)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                attribute.Texts.Add((KeyOf(ref reader, attribute), row));
                break;
            case JsonTokenType.Number when double.IsFinite(reader.GetDouble()):
                attribute.Numbers.Add((AttributeValue.From(reader.GetDouble()).Number!.Value, row));
                break;
            case JsonTokenType.True or JsonTokenType.False:
                attribute.Flags.Add((reader.GetBoolean() ? 1 : 0, row));
                break;
            case JsonTokenType.StartArray or JsonTokenType.StartObject:
                reader.Skip();
                break;
        }
    }

    private Attribute AttributeOf(ref Utf8JsonReader reader)
    {
        Span<char> buffer = stackalloc char[256];
        ReadOnlySpan<char> name = reader.ValueSpan.Length <= buffer.Length ? buffer[..reader.CopyString(buffer)] : reader.GetString();
        ref var attribute = ref CollectionsMarshal.GetValueRefOrAddDefault(attributes.GetAlternateLookup<ReadOnlySpan<char>>(), name, out _);
        return attribute ??= new Attribute();
    }

    private static int KeyOf(ref Utf8JsonReader reader, Attribute attribute)
    {
        Span<char> buffer = stackalloc char[256];
        ReadOnlySpan<char> text = reader.ValueSpan.Length <= buffer.Length ? buffer[..reader.CopyString(buffer)] : reader.GetString();
        ref int key = ref CollectionsMarshal.GetValueRefOrAddDefault(attribute.Keys.GetAlternateLookup<ReadOnlySpan<char>>(), text, out bool known);
        if (known) return key;
        key = attribute.Times.Count;
        attribute.Times.Add(AttributeValue.From(text.ToString()).Time?.UtcTicks);
        return attribute.Times.Count - 1;
    }

    private static void WriteTexts(MemoryStream bytes, string name, Attribute attribute)
    {
        if (attribute.Texts.Count == 0) return;
        var sorted = attribute.Keys.Select(key => (Bytes: Encoding.UTF8.GetBytes(key.Key), Key: key.Value)).ToArray();
        Array.Sort(sorted, (a, b) => a.Bytes.AsSpan().SequenceCompareTo(b.Bytes));
        var textStarts = new int[sorted.Length + 1];
        var rank = new int[sorted.Length];
        for (int n = 0; n < sorted.Length; n++)
        {
            textStarts[n + 1] = checked(textStarts[n] + sorted[n].Bytes.Length);
            rank[sorted[n].Key] = n;
        }
        var rowStarts = new int[sorted.Length + 1];
        foreach (var (key, _) in attribute.Texts) rowStarts[rank[key] + 1]++;
        for (int n = 0; n < sorted.Length; n++) rowStarts[n + 1] += rowStarts[n];
        var rows = new int[attribute.Texts.Count];
        int[] next = [.. rowStarts];
        foreach (var (key, row) in attribute.Texts) rows[next[rank[key]]++] = row;

        WriteHeader(bytes, name, AttributeKind.Text, sorted.Length, rows.Length, textStarts[^1]);
        Write<int>(bytes, textStarts);
        Write<int>(bytes, rowStarts);
        Write<int>(bytes, rows);
        foreach (var (text, _) in sorted) bytes.Write(text);
        Align(bytes);
    }

    private static void WriteValues<T>(MemoryStream bytes, string name, AttributeKind kind, List<(T Value, int Row)> entries)
        where T : unmanaged
    {
        if (entries.Count == 0) return;
        T[] values = [.. entries.Select(entry => entry.Value)];
        int[] rows = [.. entries.Select(entry => entry.Row)];
        Array.Sort(values, rows);
        WriteHeader(bytes, name, kind, entries.Count, entries.Count, 0);
        Write<T>(bytes, values);
        Write<int>(bytes, rows);
        Align(bytes);
    }

    private static void WriteHeader(MemoryStream bytes, string name, AttributeKind kind, int keys, int entries, int textBytes)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(name);
        Write<int>(bytes, [(int)kind, utf8.Length, keys, entries, textBytes]);
        bytes.Write(utf8);
        Align(bytes);
    }

    private static void Write<T>(MemoryStream bytes, ReadOnlySpan<T> values)
        where T : unmanaged => bytes.Write(MemoryMarshal.AsBytes(values));

    private static void Align(MemoryStream bytes) => bytes.SetLength(bytes.Position = Aligned(bytes.Length));

    /// <summary>What the rows have under one name.</summary>
    private sealed class Attribute
    {
        public Dictionary<string, int> Keys { get; } = new(StringComparer.Ordinal);

        /// <summary>Of each key: the text as a time, in ticks of UTC.</summary>
        public List<long?> Times { get; } = [];
        public List<(int Key, int Row)> Texts { get; } = [];
        public List<(double Value, int Row)> Numbers { get; } = [];
        public List<(double Value, int Row)> Flags { get; } = [];
    }
}
