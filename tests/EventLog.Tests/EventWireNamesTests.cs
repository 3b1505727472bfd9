using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.EventLog.Tests;

/// <summary>Wire names outlive every build: a change here breaks producers and what is stored. Add fields, never rename or remove.</summary>
public sealed class EventWireNamesTests
{
    [Fact]
    public void Interaction_is_written_with_these_names() => Assert.Equal(
        """{"event_id":"e1","user_id":"u1","item_id":"i1","type":"rating","value":4.5,"timestamp":1769860800000,"session_id":"s1"}""",
        Encoding.UTF8.GetString(InteractionJson.Write(new("e1", new("u1"), new("i1"), "rating", 4.5, 1769860800000, "s1"))));

    [Fact]
    public void Item_is_written_with_these_names() => Assert.Equal(
        """{"item_id":"i1","title":"Tent","description":"For two","attributes":{"colors":["red","blue"],"weight":2.5},"image_url":"https://x/y.jpg","available":false,"updated_at":1769860800000}""",
        Encoding.UTF8.GetString(ItemJson.Write(new(new("i1"), "Tent", "For two",
            new Dictionary<string, JsonElement> { ["colors"] = JsonElement.Parse("""["red","blue"]"""), ["weight"] = JsonElement.Parse("2.5") }, "https://x/y.jpg", false, 1769860800000))));

    [Fact]
    public void Dead_letter_is_written_with_these_names() => Assert.Equal(
        """{"reason":"invalid_json","message":"m","topic":"items","partition":1,"offset":7,"key":"AQI=","value":"/w==","timestamp":5}""",
        Encoding.UTF8.GetString(DeadLetterJson.Write(new("invalid_json", "m", "items", 1, 7, [1, 2], [255], 5))));

    [Fact]
    public void Headers_of_a_dead_letter_are_written_with_these_names() => Assert.Equal(
        """{"reason":"invalid_json","message":"m","topic":"items","partition":1,"offset":7,"key":"AQI=","timestamp":5,"headers":[{"name":"ce_id","value":"AQI="},{"name":"","value":""}]}""",
        Encoding.UTF8.GetString(DeadLetterJson.Write(new("invalid_json", "m", "items", 1, 7, [1, 2], null, 5, [new("ce_id", [1, 2]), new("", [])]))));

    [Fact]
    public void Headers_of_what_came_back_have_these_names() => Assert.Equal(
        ["own=1", "beeformer-origin=items/1/7", "beeformer-origin-time=5"],
        LogHeaders.Returning(new("items", 1, 7), 5, [new("own", "1"u8.ToArray()), new("beeformer-origin", "x"u8.ToArray())]).Select(header => $"{header.Name}={Encoding.UTF8.GetString(header.Value.Span)}"));

    [Fact]
    public void Reason_codes_are_these() => Assert.Equal(
        ["invalid_json", "missing_field", "invalid_field", "key_mismatch", "future_timestamp"],
        [RejectionReasons.InvalidJson, RejectionReasons.MissingField, RejectionReasons.InvalidField, RejectionReasons.KeyMismatch, RejectionReasons.FutureTimestamp]);

    [Fact]
    public void Partition_hash_is_frozen() => Assert.Equal(0xE3069283u, Crc32C.Of("123456789"u8)); // the published check value of CRC-32C
}
