using System.Text;
using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.EventLog.Tests;

/// <summary>Whatever arrives is an event within the limits or a rejection with its code and sentence, and a dead letter keeps its bytes.</summary>
public sealed class HostileMessageTests
{
    private static readonly TimeSpan ClockError = TimeSpan.FromMinutes(5);
    private static readonly string[] Reasons =
        [RejectionReasons.InvalidJson, RejectionReasons.MissingField, RejectionReasons.InvalidField, RejectionReasons.KeyMismatch, RejectionReasons.FutureTimestamp];

    [Fact]
    public void Twenty_thousand_messages_are_taken_or_refused_in_words() => Survive(20_000);

    [Fact(Explicit = true)]
    public void A_million_messages_are_taken_or_refused_in_words() => Survive(1_000_000);

    private static void Survive(int messages)
    {
        var outcomes = new Dictionary<string, int>();
        for (int number = 0; number < messages; number++)
        {
            var message = HostileMessage.Number(number);
            try
            {
                foreach (string topic in new[] { Topics.Interactions, Topics.Items })
                {
                    var rejection = topic == Topics.Interactions ? Interaction(message) : Item(message);
                    string outcome = $"{topic}: {rejection?.Reason ?? "taken"}";
                    outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
                    if (rejection is null) continue;
                    Assert.Contains(rejection.Reason, Reasons);
                    Assert.InRange(rejection.Message.Length, 10, 1_000);
                    Buried(topic, message, rejection);
                }
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"message {number}: {Encoding.UTF8.GetString((message.Value ?? default).Span)}", failure);
            }
        }
        // The messages are bad enough, and not all too bad.
        foreach (string topic in new[] { Topics.Interactions, Topics.Items })
            foreach (string outcome in Reasons.Append("taken"))
                Assert.True(outcomes.GetValueOrDefault($"{topic}: {outcome}") >= messages / 4000, $"{topic}: {outcome} occurs {outcomes.GetValueOrDefault($"{topic}: {outcome}")} times");
    }

    private static Rejection? Interaction(in LogMessage message)
    {
        if (message.Value is null) return InteractionJson.TryReadKey(message.Key.Span, out _, out var badKey) ? null : badKey;
        if (!InteractionMessage.TryRead(message, ClockError, out var read, out var rejection)) return rejection;
        Assert.Null(Id.Problem("user_id", read.UserId.Value));
        Assert.Null(Id.Problem("item_id", read.ItemId.Value));
        if (read.EventId is not null) Assert.Null(Id.Problem("event_id", read.EventId));
        if (read.SessionId is not null) Assert.Null(Id.Problem("session_id", read.SessionId));
        Assert.InRange(read.Type.Length, 1, EventLimits.MaxTypeLength);
        Assert.True(read.Value is null || double.IsFinite(read.Value.Value));
        Assert.True(read.TimestampMs >= EventLimits.MinTimestampMs && read.TimestampMs <= ClockLimits.At(message.TimestampMs, ClockError).LatestMs);

        var record = InteractionJson.Record(read);
        Assert.True(record.Key.AsSpan().SequenceEqual(message.Key.Span));
        Assert.True(InteractionMessage.TryRead(message with { Value = record.Value, Headers = null }, ClockError, out var again, out _));
        Assert.Equal(read, again);
        return null;
    }

    private static Rejection? Item(in LogMessage message)
    {
        if (message.Value is null) return ItemJson.TryReadKey(message.Key.Span, out _, out var badKey) ? null : badKey;
        if (!ItemMessage.TryRead(message, ClockError, out var read, out var rejection)) return rejection;
        Assert.Null(Id.Problem("item_id", read.ItemId.Value));
        Assert.InRange(read.Title.Length, 1, EventLimits.MaxTitleLength);
        Assert.InRange(read.Description?.Length ?? 0, 0, EventLimits.MaxDescriptionLength);
        Assert.InRange(read.ImageUrl?.Length ?? 0, 0, EventLimits.MaxImageUrlLength);
        Assert.InRange(read.Attributes.Count, 0, EventLimits.MaxAttributes);
        Assert.All(read.Attributes.Keys, name => Assert.InRange(name.Length, 1, EventLimits.MaxAttributeNameLength));
        Assert.True(read.UpdatedAtMs >= EventLimits.MinTimestampMs && read.UpdatedAtMs <= ClockLimits.At(message.TimestampMs, ClockError).LatestMs);

        var record = ItemJson.Record(read);
        Assert.True(record.Key.AsSpan().SequenceEqual(message.Key.Span));
        Assert.True(ItemMessage.TryRead(message with { Value = record.Value, Headers = null }, ClockError, out var again, out _));
        Assert.Equal(read with { Attributes = again.Attributes }, again);
        Assert.Equal(read.Attributes.Keys.Order(StringComparer.Ordinal), again.Attributes.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, value) in read.Attributes) Assert.True(JsonElement.DeepEquals(value, again.Attributes[name]), name);
        return null;
    }

    private static void Buried(string topic, in LogMessage message, Rejection rejection)
    {
        var letter = DeadLetterJson.Of(topic, message, rejection);
        Assert.True(DeadLetterJson.TryRead(DeadLetterJson.Write(letter), out var back));
        Assert.True(message.Key.Span.SequenceEqual(back.Key));
        Assert.Equal(message.Value is null, back.Value is null);
        Assert.True((message.Value ?? default).Span.SequenceEqual(back.Value));
        Assert.Equal((rejection.Reason, rejection.Message), (back.Reason, back.Message));
        Assert.Equal(message.Headers?.Count ?? 0, back.Headers?.Count ?? 0);
        for (int n = 0; n < (message.Headers?.Count ?? 0); n++)
        {
            Assert.Equal(message.Headers![n].Name, back.Headers![n].Name);
            Assert.True(message.Headers[n].Value.Span.SequenceEqual(back.Headers[n].Value));
        }
    }
}
