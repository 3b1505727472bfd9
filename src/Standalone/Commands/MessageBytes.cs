using System.Globalization;
using System.Text;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary>Bytes of a message for a terminal: as text where they are text, else as a hex dump; never more than a screen or two, and nothing that the terminal would obey.</summary>
internal static class MessageBytes
{
    private const int MostText = 8192, MostHex = 1024, HexLine = 16;

    public static string Show(byte[]? bytes)
    {
        if (bytes is null) return "—";
        if (TextOf(bytes) is { } text) return text.Length <= MostText ? text : $"{text[..MostText]}{Rest(text.Length - MostText, "characters")}";
        var dump = new StringBuilder();
        int shown = Math.Min(bytes.Length, MostHex);
        for (int at = 0; at < shown; at += HexLine)
        {
            var line = bytes.AsSpan(at, Math.Min(HexLine, shown - at));
            string hex = string.Join(' ', Convert.ToHexString(line).Chunk(2).Select(two => new string(two)));
            string ascii = string.Concat(line.ToArray().Select(one => one is >= 0x20 and < 0x7F ? (char)one : '.'));
            dump.Append(CultureInfo.InvariantCulture, $"{at:x6}  {hex,-(HexLine * 3)} {ascii}\n");
        }
        return dump.ToString().TrimEnd('\n') + (bytes.Length > shown ? Rest(bytes.Length - shown, "bytes") : "");
    }

    /// <summary>Text without the characters that control a terminal.</summary>
    public static string Printable(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(one => char.IsControl(one) ? '\uFFFD' : one)) : text;

    private static string? TextOf(byte[] bytes)
    {
        try
        {
            string text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
            return text.All(one => !char.IsControl(one) || one is '\n' or '\r' or '\t') ? text : null;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static string Rest(int count, string what) => string.Create(CultureInfo.InvariantCulture, $"\n… and {count:N0} {what} more; --json gives all.");
}
