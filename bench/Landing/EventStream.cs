using System.Globalization;
using System.Text;
using BeeFormer.Streaming.EventLog;

/// <summary>Interactions of about 200 bytes: 100,000 users, 20,000 items of uneven popularity, an id of the producer's in each.</summary>
internal sealed class EventStream(int seed)
{
    private readonly Random _random = new(seed);
    private long _sent;

    public LogRecord[] Next(int count)
    {
        var records = new LogRecord[count];
        for (int n = 0; n < count; n++)
        {
            string user = $"user-{_random.Next(100_000)}", item = $"item-{(int)(Math.Pow(_random.NextDouble(), 3) * 20_000)}";
            string type = _random.Next(10) == 0 ? "purchase" : "view";
            string json = string.Create(CultureInfo.InvariantCulture,
                $$"""{"event_id":"{{new Guid((int)_sent, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)}}","user_id":"{{user}}","item_id":"{{item}}","type":"{{type}}","timestamp":{{1_700_000_000_000 + _sent * 10}},"session_id":"s{{_random.Next(1_000_000)}}"}""");
            records[n] = new LogRecord(Encoding.UTF8.GetBytes(user), Encoding.UTF8.GetBytes(json));
            _sent++;
        }
        return records;
    }
}
