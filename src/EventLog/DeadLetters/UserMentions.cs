using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.EventLog.DeadLetters;

/// <summary>
/// Whether a message speaks of certain users. In JSON an id is a whole string, escaped or not, anywhere but as an item's id, or what <c>user_id</c> gives as a number; <c>data_base64</c> is looked into.
/// In bytes that are no JSON an id counts wherever it stands by itself, between other characters than letters and digits: rather a letter too many than one too few.
/// </summary>
public sealed class UserMentions
{
    private const int FewIds = 16;

    private readonly HashSet<string> _ids;
    private readonly byte[][] _utf8;

    public UserMentions(IEnumerable<UserId> users)
    {
        _ids = [.. users.Select(user => user.Value)];
        _utf8 = [.. _ids.Select(Encoding.UTF8.GetBytes)];
    }

    public bool In(DeadLetter letter) =>
        (letter.Topic == Topics.Interactions && IsId(letter.Key)) || (letter.Value is { } value && In(value))
        || letter.Headers?.Any(header => IsId(header.Value)) is true;

    public bool In(ReadOnlySpan<byte> value) => MayBeIn(value) && (InJson(value) ?? InBytes(value));

    // Most messages speak of nobody sought, and most show it by their bytes alone.
    private bool MayBeIn(ReadOnlySpan<byte> value)
    {
        if (_utf8.Length > FewIds || value.Contains((byte)'\\') || value.IndexOf(Base64Field) >= 0) return true;
        foreach (byte[] id in _utf8)
            if (value.IndexOf(id) >= 0) return true;
        return false;
    }

    private static ReadOnlySpan<byte> Base64Field => "data_base64"u8;

    private bool IsId(byte[]? bytes) => bytes is not null && _utf8.Any(id => bytes.AsSpan().SequenceEqual(id));

    // Null: it is no JSON.
    private bool? InJson(ReadOnlySpan<byte> value)
    {
        try
        {
            var reader = new Utf8JsonReader(value);
            string name = "";
            bool found = false;
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName) name = reader.GetString()!;
                else if (reader.TokenType == JsonTokenType.String && name == "data_base64" && reader.TryGetBytesFromBase64(out byte[]? data)) found |= In(data);
                else if (reader.TokenType == JsonTokenType.String && name != "item_id") found |= _ids.Contains(reader.GetString()!);
                else if (reader.TokenType == JsonTokenType.Number && name == "user_id") found |= _ids.Contains(Encoding.UTF8.GetString(reader.ValueSpan));
            }
            return found;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the latter: text that no Unicode is
        {
            return null;
        }
    }

    private bool InBytes(ReadOnlySpan<byte> value)
    {
        if (StandsIn(value)) return true;
        return value.Contains((byte)'\\') && StandsIn(Unescaped(value));
    }

    private bool StandsIn(ReadOnlySpan<byte> text)
    {
        foreach (byte[] id in _utf8)
            for (int from = 0; text[from..].IndexOf(id) is >= 0 and var at; from += at + 1)
                if (!Continues(text, from + at - 1) && !Continues(text, from + at + id.Length)) return true;
        return false;
    }

    private static bool Continues(ReadOnlySpan<byte> text, int at) => (uint)at < (uint)text.Length && (char.IsAsciiLetterOrDigit((char)text[at]) || text[at] >= 0x80);

    // What JSON escapes stand for, wherever they stand; all else as it is.
    private static byte[] Unescaped(ReadOnlySpan<byte> text)
    {
        var plain = new MemoryStream(text.Length);
        Span<byte> utf8 = stackalloc byte[4];
        for (int at = 0; at < text.Length;)
        {
            if (text[at] != '\\' || at + 1 == text.Length)
            {
                plain.WriteByte(text[at++]);
            }
            else if (text[at + 1] == 'u' && Unit(text, at) is { } unit)
            {
                at += 6;
                int rune = unit;
                if (char.IsHighSurrogate((char)unit) && Unit(text, at) is { } low && char.IsLowSurrogate((char)low))
                {
                    at += 6;
                    rune = char.ConvertToUtf32((char)unit, (char)low);
                }
                if (Rune.IsValid(rune)) plain.Write(utf8[..new Rune(rune).EncodeToUtf8(utf8)]);
            }
            else
            {
                plain.WriteByte(text[at + 1] switch { (byte)'n' => (byte)'\n', (byte)'r' => (byte)'\r', (byte)'t' => (byte)'\t', (byte)'b' => (byte)'\b', (byte)'f' => (byte)'\f', var other => other });
                at += 2;
            }
        }
        return plain.ToArray();
    }

    // The UTF-16 unit of \uXXXX at this place.
    private static int? Unit(ReadOnlySpan<byte> text, int at) =>
        at + 6 <= text.Length && text[at] == '\\' && text[at + 1] == 'u' && System.Buffers.Text.Utf8Parser.TryParse(text.Slice(at + 2, 4), out ushort unit, out int used, 'x') && used == 4 ? unit : null;
}
