using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog.Events;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace BeeFormer.Streaming.EventLog.Tests;

public sealed class EventJsonTests
{
    private const long Now = 1_769_860_800_000; // 2026-01-31T12:00:00Z
    private static readonly ClockLimits Clock = ClockLimits.At(DateTimeOffset.FromUnixTimeMilliseconds(Now));

    private static (InteractionEvent? Event, Rejection? Rejection) Interaction(string json, string key = "") => Interaction(Encoding.UTF8.GetBytes(json), key);
    private static (InteractionEvent? Event, Rejection? Rejection) Interaction(byte[] json, string key = "") =>
        InteractionJson.TryRead(Encoding.UTF8.GetBytes(key), json, Now, Clock, out var read, out var rejection) ? (read, null) : (null, rejection);
    private static (ItemEvent? Event, Rejection? Rejection) Item(string json, string key = "") =>
        ItemJson.TryRead(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(json), Now, Clock, out var read, out var rejection) ? (read, null) : (null, rejection);

    [Theory]
    [InlineData("\"2026-01-31T12:00:00Z\"", Now)]
    [InlineData("\"2026-01-31T13:00:00+01:00\"", Now)]
    [InlineData("\"2026-01-31T12:00:00\"", Now)]
    [InlineData("\"2026-01-31\"", Now - 43_200_000)]
    [InlineData("1769860800000", Now)]
    [InlineData("\"1769860800000\"", Now)]
    [InlineData("null", Now)]
    [InlineData("1769861100000", Now + 300_000)]
    public void Timestamps_are_read_as_utc_milliseconds(string timestamp, long expected) =>
        Assert.Equal(expected, Interaction($$"""{"user_id":"u","item_id":"i","type":"view","timestamp":{{timestamp}}}""").Event!.TimestampMs);

    [Theory]
    [InlineData("""{"user_id":"u","item_id":"i","type":"view","timestamp":1769861100001}""", "future_timestamp", "timestamp")]
    [InlineData("""{"user_id":"u","item_id":"i","type":"view","timestamp":"yesterday"}""", "invalid_field", "timestamp")]
    [InlineData("""{"user_id":"u","item_id":"i","type":"view","timestamp":-9000000000000}""", "invalid_field", "timestamp")]
    [InlineData("""{"user_id":"u","item_id":"i","type":"view","timestamp":true}""", "invalid_field", "timestamp")]
    [InlineData("""{"item_id":"i","type":"view"}""", "missing_field", "user_id")]
    [InlineData("""{"user_id":"u","type":"view"}""", "missing_field", "item_id")]
    [InlineData("""{"user_id":"u","item_id":"i"}""", "missing_field", "type")]
    [InlineData("""{"user_id":"","item_id":"i","type":"view"}""", "missing_field", "user_id")]
    [InlineData("""{"user_id":7,"item_id":"i","type":"view"}""", "invalid_field", "user_id")]
    [InlineData("""{"user_id":"u","item_id":"i","type":""}""", "invalid_field", "type")]
    [InlineData("""{"user_id":"u","item_id":"i","type":"view","value":1e999}""", "invalid_field", "value")]
    [InlineData("""{"user_id":"u","item_id":"i","type":"view","value":"4"}""", "invalid_field", "value")]
    [InlineData("""{"user_id":"u","item_id":"i","type":"view","value":NaN}""", "invalid_json", "")]
    [InlineData("""{"user_id":"u","user_id":"v","item_id":"i","type":"view"}""", "invalid_field", "user_id")]
    [InlineData("""{"user_id":"u","item_id":"i","type":"view","x":[[[[[[[[[[1]]]]]]]]]]}""", "invalid_json", "")]
    [InlineData("""{"user_id":"u","item_id":"i","type":"view"} {}""", "invalid_json", "")]
    [InlineData("""{"user_id":"u","item_id":"i","type":"vi""", "invalid_json", "")]
    [InlineData("""{"user_id":"\ud800","item_id":"i","type":"view"}""", "invalid_json", "UTF-8")]
    [InlineData("[]", "invalid_json", "")]
    [InlineData("", "invalid_json", "")]
    [InlineData("""{"user_id":"other","item_id":"i","type":"view"}""", "key_mismatch", "user_id", "u")]
    public void Unreadable_interactions_are_rejected_naming_the_field(string json, string reason, string names, string key = "")
    {
        var rejection = Interaction(json, key).Rejection;
        Assert.Equal(reason, rejection!.Reason);
        Assert.Contains(names, rejection.Message);
    }

    [Fact]
    public void Ids_hold_512_bytes_of_utf8_and_no_more()
    {
        Assert.Null(Interaction($$"""{"user_id":"{{new string('ü', 256)}}","item_id":"i","type":"view"}""").Rejection);
        Assert.Contains("user_id has 514 bytes", Interaction($$"""{"user_id":"{{new string('ü', 257)}}","item_id":"i","type":"view"}""").Rejection!.Message);
    }

    [Fact]
    public void Bytes_that_are_no_utf8_are_rejected()
    {
        var json = Encoding.Latin1.GetBytes("""{"user_id":"ü","item_id":"i","type":"view"}""");
        Assert.Equal("invalid_json", Interaction(json).Rejection!.Reason);
        Assert.False(InteractionJson.TryReadKey([0xC3], out _, out var rejection));
        Assert.Equal("invalid_field", rejection!.Reason);
    }

    [Fact]
    public void Unknown_fields_of_interactions_are_ignored_and_of_items_kept()
    {
        Assert.Equal("u", Interaction("""{"user_id":"u","item_id":"i","type":"view","page":{"a":[1]}}""").Event!.UserId.Value);
        var item = Item("""{"item_id":"i","title":"T","brand":"B","nested":{"a":1},"attributes":{"brand":"given","sizes":["s","m"],"n":1,"b":true,"none":null}}""").Event!;
        Assert.Equal(["b", "brand", "n", "sizes"], item.Attributes.Keys.Order());
        Assert.Equal("given", item.Attributes["brand"].GetString());
    }

    [Theory]
    [InlineData("""{"title":"T"}""", "missing_field", "item_id")]
    [InlineData("""{"item_id":"i"}""", "missing_field", "title")]
    [InlineData("""{"item_id":"i","title":""}""", "invalid_field", "title")]
    [InlineData("""{"item_id":"i","title":"T","available":"yes"}""", "invalid_field", "available")]
    [InlineData("""{"item_id":"i","title":"T","attributes":[]}""", "invalid_field", "attributes")]
    [InlineData("""{"item_id":"i","title":"T","attributes":{"a":{}}}""", "invalid_field", "attributes.a")]
    [InlineData("""{"item_id":"i","title":"T","attributes":{"a":[1]}}""", "invalid_field", "attributes.a")]
    [InlineData("""{"item_id":"i","title":"T","attributes":{"a":1e999}}""", "invalid_field", "attributes.a")]
    [InlineData("""{"item_id":"i","title":"T","attributes":{"a":1,"a":2}}""", "invalid_field", "attributes.a")]
    [InlineData("""{"item_id":"i","title":"T","title":"T"}""", "invalid_field", "title")]
    [InlineData("""{"item_id":"i","title":"T"}""", "key_mismatch", "item_id", "k")]
    public void Unreadable_items_are_rejected_naming_the_field(string json, string reason, string names, string key = "")
    {
        var rejection = Item(json, key).Rejection;
        Assert.Equal(reason, rejection!.Reason);
        Assert.Contains(names, rejection.Message);
    }

    [Fact]
    public void The_longest_description_of_any_script_fits_when_it_is_written_again()
    {
        byte[] written = ItemJson.Write(new(new("i"), "Ж", new string('Ж', EventLimits.MaxDescriptionLength), new Dictionary<string, JsonElement>(), null, true, Now));
        Assert.InRange(written.Length, 2 * EventLimits.MaxDescriptionLength, EventLimits.MaxJsonBytes);
        Assert.True(ItemJson.TryRead([], written, Now, Clock, out _, out _));
    }

    [Fact]
    public void An_overlong_title_is_rejected() =>
        Assert.Contains("title", Item($$"""{"item_id":"i","title":"{{new string('x', 2001)}}"}""").Rejection!.Message);

    [Property(MaxTest = 300)]
    public Property Interactions_come_back_from_the_wire_as_they_were() => Prop.ForAll(
        (from user in Ids from item in Ids from eventId in Ids.OrNull() from session in Ids.OrNull() from type in Gen.Elements("view", "purchase", "own type ü")
         from value in ArbMap.Default.GeneratorFor<double>().Where(double.IsFinite).OrNull() from time in Gen.Choose(0, int.MaxValue)
         select new InteractionEvent(eventId, new(user), new(item), type, value, time * 800L, session)).ToArbitrary(),
        written => Interaction(InteractionJson.Write(written), written.UserId.Value).Event == written);

    [Property(MaxTest = 300)]
    public Property Items_come_back_from_the_wire_as_they_were() => Prop.ForAll(
        (from id in Ids from title in Ids from description in Ids.OrNull() from available in Gen.Elements(true, false) from value in Ids
         select new ItemEvent(new(id), title, description, new Dictionary<string, JsonElement> { ["a"] = JsonSerializer.SerializeToElement(value), ["b"] = JsonSerializer.SerializeToElement(new[] { value, "" }) }, null, available, Now)).ToArbitrary(),
        written =>
        {
            bool read = ItemJson.TryRead(ItemJson.Key(written.ItemId), ItemJson.Write(written), 0, Clock, out var back, out _);
            return read && back! with { Attributes = written.Attributes } == written
                && back.Attributes.Count == 2 && back.Attributes.All(pair => JsonElement.DeepEquals(pair.Value, written.Attributes[pair.Key]));
        });

    [Property(MaxTest = 3000)]
    public Property Mutated_bytes_give_an_event_or_a_rejection(int seed) => Prop.ToProperty(Survives(seed));

    private static bool Survives(int seed)
    {
        var random = new Random(seed);
        byte[] bytes = random.Next(2) == 0
            ? InteractionJson.Write(new("e", new("u"), new("i"), "view", 1.5, Now, "s"))
            : ItemJson.Write(new(new("i"), "T", "d", new Dictionary<string, JsonElement> { ["a"] = JsonElement.Parse("[\"x\",\"y\"]"), ["n"] = JsonElement.Parse("1") }, "u", true, Now));
        for (int n = random.Next(1, 6); n > 0; n--)
        {
            int at = random.Next(bytes.Length);
            switch (random.Next(4))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes = bytes[..at].Concat(bytes[Math.Min(bytes.Length, at + random.Next(9))..]).Append((byte)' ').ToArray(); break;
                case 2: bytes = bytes[..at].Concat(bytes[random.Next(at + 1)..]).ToArray(); break;
                default: bytes[at] = "{}[]\",:\\0-e"u8[random.Next(11)]; break;
            }
        }
        var key = random.Next(3) == 0 ? bytes[..Math.Min(bytes.Length, 4)] : [];
        bool interaction = InteractionJson.TryRead(key, bytes, Now, Clock, out var read, out var no) ? read is not null && no is null : no!.Message.Length > 0 && read is null;
        bool item = ItemJson.TryRead(key, bytes, Now, Clock, out var readItem, out var noItem) ? readItem is not null && noItem is null : noItem!.Message.Length > 0 && readItem is null;
        return interaction && item;
    }

    private static Gen<string> Ids => ArbMap.Default.GeneratorFor<string>().Where(s => s is { Length: > 0 and < 100 } && !s.Any(char.IsSurrogate));
}

internal static class Generators
{
    public static Gen<string?> OrNull(this Gen<string> gen) => Gen.OneOf(gen.Select(s => (string?)s), Gen.Constant<string?>(null));
    public static Gen<double?> OrNull(this Gen<double> gen) => Gen.OneOf(gen.Select(d => (double?)d), Gen.Constant<double?>(null));
}
