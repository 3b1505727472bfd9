using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.EventLog.Tests;

/// <summary>Envelopes as producers send them and what they stand for: <c>CloudEvents/cases.json</c>. Cases may be added, none may change.</summary>
public sealed class CloudEventTests
{
    private const long Now = 1_769_860_800_000; // 2026-01-31T12:00:00Z
    private static readonly JsonElement[] Cases = [.. JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "CloudEvents", "cases.json"))).RootElement.EnumerateArray()];

    public static IEnumerable<TheoryDataRow<string>> Names => Cases.Select(one => new TheoryDataRow<string>(one.GetProperty("name").GetString()!));

    [Theory]
    [MemberData(nameof(Names))]
    public void An_envelope_reads_as_the_event_in_it(string name)
    {
        JsonElement one = Cases.Single(other => other.GetProperty("name").GetString() == name);
        string topic = one.GetProperty("topic").GetString()!, key = one.TryGetProperty("key", out var given) ? given.GetString()! : topic == Topics.Items ? "42" : "ann";
        JsonElement value = one.GetProperty("value");
        byte[] bytes = Encoding.UTF8.GetBytes(value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText());
        LogHeader[]? headers = one.TryGetProperty("headers", out var named) ? [.. named.EnumerateObject().Select(header => new LogHeader(header.Name, Encoding.UTF8.GetBytes(header.Value.GetString()!)))] : null;
        var message = new LogMessage(0, 17, Now, Encoding.UTF8.GetBytes(key), bytes, headers);

        byte[]? read;
        Rejection? rejection;
        if (topic == Topics.Items) read = ItemMessage.TryRead(message, TimeSpan.FromMinutes(5), out var item, out rejection) ? ItemJson.Write(item) : null;
        else read = InteractionMessage.TryRead(message, TimeSpan.FromMinutes(5), out var interaction, out rejection) ? InteractionJson.Write(interaction) : null;

        if (one.TryGetProperty("reads_as", out var expected))
        {
            Assert.Null(rejection);
            Assert.True(JsonElement.DeepEquals(expected, JsonElement.Parse(read!)), Encoding.UTF8.GetString(read!));
        }
        else
        {
            Assert.Equal(one.GetProperty("rejected").GetString(), rejection!.Reason);
            Assert.Contains(one.GetProperty("says").GetString()!, rejection.Message, StringComparison.Ordinal);
            Assert.Null(read);
        }
    }

    [Fact]
    public void Ids_of_different_sources_never_meet()
    {
        string Id(string source, string id) => Read($$$"""{"specversion":"1.0","id":"{{{id}}}","source":"{{{source}}}","type":"view","data":{"user_id":"ann","item_id":"42"}}""").EventId!;
        Assert.Equal(6, new[] { Id("a/b", "c"), Id("a", "b/c"), Id("a", "b%2Fc"), Id("a/b%2Fc", "d"), Id("a", "b"), Id("a/b", "b") }.Distinct().Count());
    }

    [Fact]
    public void Source_and_id_that_make_no_event_id_are_rejected_unless_the_data_has_one()
    {
        string Envelope(string more) => $$$"""{"specversion":"1.0","id":"{{{new string('i', 300)}}}","source":"{{{new string('s', 300)}}}","type":"view","data":{"user_id":"ann","item_id":"42" {{{more}}} }}""";
        var message = new LogMessage(0, 1, Now, "ann"u8.ToArray(), Encoding.UTF8.GetBytes(Envelope("")));
        Assert.False(InteractionMessage.TryRead(message, TimeSpan.Zero, out _, out var rejection));
        Assert.Equal("source and id: expected at most 512 bytes together, got 601", rejection.Message);
        Assert.Equal("e", Read(Envelope(""","event_id":"e" """)).EventId);
    }

    [Fact]
    public void The_verdict_depends_on_the_logs_clock_and_not_on_the_readers()
    {
        byte[] value = Encoding.UTF8.GetBytes($$"""{"user_id":"ann","item_id":"42","type":"view","timestamp":{{Now + 61_000}}}""");
        Assert.True(InteractionMessage.TryRead(new LogMessage(0, 1, Now + 1_000, "ann"u8.ToArray(), value), TimeSpan.FromMinutes(1), out _, out _));
        Assert.False(InteractionMessage.TryRead(new LogMessage(0, 1, Now + 999, "ann"u8.ToArray(), value), TimeSpan.FromMinutes(1), out _, out var rejection));
        Assert.Equal(RejectionReasons.FutureTimestamp, rejection.Reason);
        Assert.True(InteractionMessage.TryRead(new LogMessage(0, 1, long.MaxValue, "ann"u8.ToArray(), value), TimeSpan.FromMinutes(1), out _, out _)); // a foreign log may name any time
    }

    [Fact]
    public void What_comes_back_keeps_the_time_that_the_log_took_it_first()
    {
        var place = new LogPlace(Topics.Interactions, 2, 40);
        var message = new LogMessage(0, 90, Now, "ann"u8.ToArray(), """{"user_id":"ann","item_id":"42","type":"view"}"""u8.ToArray(), LogHeaders.Returning(place, Now - 86_400_000, []));
        Assert.True(InteractionMessage.TryRead(message, TimeSpan.Zero, out var interaction, out _));
        Assert.Equal(Now - 86_400_000, interaction.TimestampMs);
        Assert.Equal(place, LogPlace.FirstOf(Topics.Interactions, message));
        Assert.Equal(new LogPlace(Topics.Items, 0, 90), LogPlace.FirstOf(Topics.Items, message)); // of another topic: not its own
    }

    private static InteractionEvent Read(string json)
    {
        Assert.True(InteractionMessage.TryRead(new LogMessage(0, 1, Now, "ann"u8.ToArray(), Encoding.UTF8.GetBytes(json)), TimeSpan.Zero, out var interaction, out var rejection), rejection?.Message);
        return interaction;
    }
}
