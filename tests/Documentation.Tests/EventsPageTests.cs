using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.Documentation.Tests;

/// <summary>docs/events.md against the readers and writers of events.</summary>
public sealed partial class EventsPageTests
{
    private static readonly string s_page = File.ReadAllText(Checkout.At("docs", "events.md"));
    private static readonly DateTimeOffset s_now = DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000);

    [Fact]
    public void Tables_have_the_fields_that_are_written()
    {
        var interaction = new InteractionEvent("e", new UserId("u"), new ItemId("i"), "view", 1, 1, "s");
        var item = new ItemEvent(new ItemId("i"), "t", "d", new Dictionary<string, JsonElement> { ["a"] = JsonElement.Parse("1") }, "https://x/y", false, 1);
        Assert.Equal(Names(InteractionJson.Write(interaction)), FieldsOf("`interactions`, key"));
        Assert.Equal(Names(ItemJson.Write(item)), FieldsOf("`items`, key"));

        static IEnumerable<string> Names(byte[] json) => JsonDocument.Parse(json).RootElement.EnumerateObject().Select(field => field.Name).Order(StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("interactions", """{"user_id": "u", "item_id": "i", "type": "view"}""")]
    [InlineData("items", """{"item_id": "i", "title": "t"}""")]
    public void What_is_called_required_is_and_the_rest_is_not(string topic, string least)
    {
        Assert.Null(Refusal(topic, least));
        string[] required = [.. Rows($"`{topic}`, key").Where(row => row.Meaning.StartsWith("required", StringComparison.Ordinal)).SelectMany(row => row.Names)];
        Assert.Equal(JsonDocument.Parse(least).RootElement.EnumerateObject().Select(field => field.Name).Order(StringComparer.Ordinal), required.Order(StringComparer.Ordinal));
        foreach (string field in required)
            Assert.Equal(RejectionReasons.MissingField, Refusal(topic, least.Replace($"\"{field}\"", $"\"not_{field}\"", StringComparison.Ordinal))!.Reason);
    }

    [Fact]
    public void Limits_are_those_of_the_code()
    {
        foreach (var limit in typeof(EventLimits).GetFields(BindingFlags.Public | BindingFlags.Static).Where(field => field.IsLiteral && field.Name is not (nameof(EventLimits.MinTimestampMs) or nameof(EventLimits.DefaultClockErrorMs) or nameof(EventLimits.MaxAttributeNameLength))))
        {
            int value = (int)limit.GetRawConstantValue()!;
            string written = limit.Name == nameof(EventLimits.MaxJsonBytes) ? $"{value / 1024} KiB" : value.ToString("N0", CultureInfo.InvariantCulture);
            Assert.True(s_page.Contains(written, StringComparison.Ordinal), $"docs/events.md lacks {limit.Name}, {written}.");
        }
        Assert.Contains($"1 to {Id.MaxBytes} bytes", s_page, StringComparison.Ordinal);
    }

    [Fact]
    public void Reasons_are_those_of_the_code()
    {
        string sentence = s_page.Split('\n').SelectMany(line => line.Split(". ")).Single(part => part.Contains("Reasons: ", StringComparison.Ordinal));
        Assert.Equal(typeof(RejectionReasons).GetFields().Select(field => (string)field.GetRawConstantValue()!).Order(StringComparer.Ordinal), Quoted().Matches(sentence[sentence.IndexOf("Reasons: ", StringComparison.Ordinal)..]).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal));
    }

    /// <summary>Each row of the table: the field that a CloudEvent's attributes stand in for gets what they say, in every mode.</summary>
    [Fact]
    public void A_CloudEvent_is_read_as_the_page_says()
    {
        Assert.Equal(["`source`, `/`, `id`, which together are unique", "what follows the last dot of `type`", "`time`"], Rows("| field of ours | from").Select(row => row.Meaning.Split([';', ':'])[0].Trim()));
        (string, string)[] attributes = [("specversion", "1.0"), ("id", "a/b%"), ("source", "/shop"), ("type", "com.shop.purchase"), ("time", "2026-01-31T11:59:00Z")];
        const string Data = """{"user_id": "ann", "item_id": "42"}""";
        string structured = $"{{{string.Join(", ", attributes.Select(pair => $"\"{pair.Item1}\": \"{pair.Item2}\""))}, \"data\": {Data}}}";
        string binary = Rows("| mode | as a message").Single(row => row.Names[0] == "binary").Meaning;
        foreach (var (name, _) in attributes) Assert.Contains($"`ce_{name}`", binary, StringComparison.Ordinal);

        var headers = attributes.Select(pair => new LogHeader($"ce_{pair.Item1}", Encoding.UTF8.GetBytes(pair.Item2))).ToList();
        foreach (var (sent, with) in new[] { (structured, null), (structured, [new LogHeader("content-type", "application/cloudevents+json"u8.ToArray())]), (Data, headers) })
        {
            Assert.True(InteractionMessage.TryRead(with, Encoding.UTF8.GetBytes(sent), s_now, TimeSpan.FromMinutes(5), out var read, out var problem), problem?.Message);
            Assert.Equal(("/shop/a%2Fb%25", "purchase", DateTimeOffset.Parse("2026-01-31T11:59:00Z", CultureInfo.InvariantCulture).ToUnixTimeMilliseconds()), (read.EventId, read.Type, read.TimestampMs));
        }
        foreach (string name in new[] { "specversion", "id", "source", "type" })
            Assert.False(InteractionMessage.TryRead(null, Encoding.UTF8.GetBytes(structured.Replace($"\"{name}\": ", $"\"{name}x\": ", StringComparison.Ordinal)), s_now, TimeSpan.FromMinutes(5), out _, out _), $"A CloudEvent without {name} was read.");
    }

    private static Rejection? Refusal(string topic, string json)
    {
        Rejection? why;
        bool read = topic == "items"
            ? ItemMessage.TryRead(null, Encoding.UTF8.GetBytes(json), s_now, TimeSpan.FromMinutes(5), out _, out why)
            : InteractionMessage.TryRead(null, Encoding.UTF8.GetBytes(json), s_now, TimeSpan.FromMinutes(5), out _, out why);
        return read ? null : why;
    }

    private static IEnumerable<string> FieldsOf(string before) => Rows(before).SelectMany(row => row.Names).Order(StringComparer.Ordinal);

    /// <summary>The table that comes next: names in its first column, and all the rest.</summary>
    private static IEnumerable<(string[] Names, string Meaning)> Rows(string before)
    {
        int at = s_page.IndexOf(before, StringComparison.Ordinal);
        Assert.True(at >= 0, $"docs/events.md lacks {before}.");
        return [.. s_page[at..].Split('\n').SkipWhile(line => !line.StartsWith("|---", StringComparison.Ordinal)).Skip(1).TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Trim('|').Split('|', 2)).Select(cells => (cells[0].Split(',').Select(name => name.Trim(' ', '`')).ToArray(), cells[1].Trim()))];
    }

    [GeneratedRegex("`([a-z_]+)`")]
    private static partial Regex Quoted();
}
