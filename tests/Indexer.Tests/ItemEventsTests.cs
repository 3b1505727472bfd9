using BeeFormer.Streaming.EventLog;
using BeeFormer.Streaming.EventLog.Events;

namespace BeeFormer.Streaming.Indexer.Tests;

public sealed class ItemEventsTests
{
    private const long Then = 1_600_000_000_000; // long before any clock that runs now
    private static readonly ReadItemEvent Read = ItemEvents.Reader(new EventClock(TimeSpan.FromMinutes(5)));

    [Fact]
    public void What_was_ahead_of_the_logs_clock_stays_refused_however_late_it_is_read()
    {
        Assert.Null(Read(Message("""{"item_id":"i","title":"T","updated_at":1600000300001}""")));
        Assert.Equal(Then + 300_000, Read(Message("""{"item_id":"i","title":"T","updated_at":1600000300000}"""))!.UpdatedAtMs);
    }

    [Fact]
    public void A_message_without_a_key_and_a_tombstone_are_no_item()
    {
        Assert.Null(Read(Message("""{"item_id":"i","title":"T"}""") with { Key = default }));
        Assert.Null(Read(Message("") with { Value = null }));
    }

    [Fact]
    public void CloudEvents_are_items() => Assert.Equal("T", Read(Message("""{"specversion":"1.0","id":"1","source":"/pim","type":"changed","data":{"item_id":"i","title":"T"}}"""))!.Title);

    private static LogMessage Message(string value) => new(0, 3, Then, "i"u8.ToArray(), System.Text.Encoding.UTF8.GetBytes(value));
}
