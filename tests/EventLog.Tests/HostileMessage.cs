using System.Text;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.EventLog.Tests;

/// <summary>Messages as nobody should send them: valid ones of every form, made worse a little, and sheer noise. The same number gives the same message.</summary>
internal static class HostileMessage
{
    public const long Now = 1_769_860_800_000;

    private const string Interaction = """{"event_id":"e1","user_id":"ann","item_id":"i1","type":"rating","value":4.5,"timestamp":1769860000000,"session_id":"s1"}""";
    private const string Item = """{"item_id":"ann","title":"Tent","description":"For two","attributes":{"colors":["red","blue"],"weight":2.5,"new":true},"image_url":"https://x/y.jpg","available":false,"updated_at":"2026-01-31T11:00:00Z","brand":"B"}""";
    private const string Envelope = """{"specversion":"1.0","id":"7","source":"/shop","type":"com.shop.purchase","time":"2026-01-31T11:00:00Z","datacontenttype":"application/json","extra":1,"data":$}""";
    private const string Base64Envelope = """{"specversion":"1.0","id":"7","source":"/shop","type":"com.shop.purchase","data_base64":"$"}""";

    // Each may take the place of a value, or stand where nothing should.
    private static readonly string[] Tokens =
    [
        "1e999", "-1e999", "NaN", "Infinity", "-Infinity", "-0", "0.1e-400", "123456789012345678901234567890", "9223372036854775808", "-9223372036854775808", "1769860000000.5", "1e15", "4102444800000", "1769860000000", "-9000000000000", "\"2100-01-01T00:00:00Z\"", "0x10", "01", "null", "true", "{}", "[]",
        "\"\"", "\" \"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\u0000\"", "\"\\uD83D\\uDE00\"", "\"\\x\"", "\"2026-13-45\"", "\"9999-12-31T23:59:59.9999999Z\"", "\"0001-01-01\"", "\"99999999999999999999\"", "\"2026-01-31T12:00:00+99:00\"",
        "/*c*/1", "//c\n1", "\uFEFF", "\"1.1\"", "1.0", "[[[[[[[[[[[[1]]]]]]]]]]]]", "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}", "\"user_id\"", "[\"a\",1]", "\"application/xml\"", "\"%2F/\\/%\"", "\"\u2028<>&'+\"",
    ];

    private static readonly string[] Names = ["event_id", "user_id", "item_id", "type", "value", "timestamp", "title", "attributes", "updated_at", "specversion", "id", "source", "time", "data", "data_base64", "datacontenttype", "us\\u0065r_id", "", "\\ud800"];

    public static LogMessage Number(int number)
    {
        var random = new Random(number);
        bool item = random.Next(2) == 0;
        string json = item ? Item : Interaction;
        List<LogHeader>? headers = null;
        switch (random.Next(8))
        {
            case 0: json = Envelope.Replace("$", json, StringComparison.Ordinal); break;
            case 1:
                json = Envelope.Replace("$", json, StringComparison.Ordinal);
                headers = [Header("content-type", random.Next(4) == 0 ? "application/cloudevents-batch+json" : "Application/CloudEvents+JSON; charset=utf-8")];
                break;
            case 2: json = Base64Envelope.Replace("$", Convert.ToBase64String(Encoding.UTF8.GetBytes(Worsened(json, random))), StringComparison.Ordinal); break;
            case 3: headers = [Header("ce_specversion", "1.0"), Header("ce_id", "7"), Header("ce_source", "/shop"), Header("ce_type", "com.shop.view"), Header("ce_time", "2026-01-31T11:00:00Z"), Header("content-type", "application/json")]; break;
            case 4: headers = [Header("trace", "1")]; break;
        }
        for (int n = random.Next(4); n > 0; n--) json = Worsened(json, random);
        byte[] bytes = Encoding.UTF8.GetBytes(json);
        for (int n = random.Next(3); n > 0; n--) bytes = Worsened(bytes, random);
        if (random.Next(50) == 0) random.NextBytes(bytes);
        if (headers is not null && random.Next(2) == 0) Worsen(headers, random);
        byte[] key = random.Next(10) switch { 0 => [], 1 => [0xC3], 2 => new byte[600], _ => "ann"u8.ToArray() };
        return new LogMessage(0, number, random.Next(50) == 0 ? long.MaxValue : Now, key, random.Next(200) == 0 ? null : bytes, headers);
    }

    private static string Worsened(string json, Random random)
    {
        if (json.Length == 0) return json;
        string token = random.Next(12) == 0 ? $"\"{new string('ü', random.Next(700))}\"" : Tokens[random.Next(Tokens.Length)];
        switch (random.Next(5))
        {
            case 0: // another value
                int colon = json.IndexOf(':', random.Next(json.Length));
                if (colon < 0) return json;
                int end = json.AsSpan(colon).IndexOfAny(',', '}');
                return end < 0 ? json : json[..(colon + 1)] + token + json[(colon + end)..];
            case 1: return json[..1] + $"\"{Names[random.Next(Names.Length)]}\":{token}," + json[1..]; // one more field, perhaps a second time
            case 2: return json.Replace($"\"{Names[random.Next(Names.Length)]}\"", $"\"{Names[random.Next(Names.Length)]}\"", StringComparison.Ordinal);
            case 3: return random.Next(2) == 0 ? token + json : json + token;
            default: return json[..random.Next(json.Length + 1)]; // cut off
        }
    }

    private static byte[] Worsened(byte[] bytes, Random random)
    {
        if (bytes.Length == 0) return bytes;
        int at = random.Next(bytes.Length), other = Math.Min(bytes.Length, at + random.Next(20));
        switch (random.Next(5))
        {
            case 0: bytes[at] = (byte)random.Next(256); return bytes;
            case 1: bytes[at] = "{}[]\",:\\0-e"u8[random.Next(11)]; return bytes;
            case 2: return [.. bytes[..at], .. bytes[other..]];
            case 3: return [.. bytes[..other], .. bytes[at..]];
            default: return [.. "\u00EF\u00BB\u00BF"u8[..random.Next(2)], .. bytes[..at], 0xED, 0xA0, 0x80, .. bytes[at..]]; // a lone surrogate in bytes
        }
    }

    private static void Worsen(List<LogHeader> headers, Random random)
    {
        int at = random.Next(headers.Count);
        switch (random.Next(6))
        {
            case 0: headers.RemoveAt(at); break;
            case 1: headers.Add(headers[at] with { Value = ReadOnlyMemory<byte>.Empty }); break;
            case 2: headers[at] = headers[at] with { Value = new byte[] { 0xFF, 0xFE } }; break;
            case 3: headers[at] = Header(headers[at].Name, new string('x', random.Next(800))); break;
            case 4: headers.Add(Header(LogHeaders.Origin, random.Next(2) == 0 ? $"{Topics.Items}/0/5" : "items/-1/99999999999999999999")); break;
            default: headers.Add(Header(LogHeaders.OriginTime, Tokens[random.Next(Tokens.Length)])); break;
        }
    }

    private static LogHeader Header(string name, string value) => new(name, Encoding.UTF8.GetBytes(value));
}
