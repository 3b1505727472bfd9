using System.Globalization;
using System.Text;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.EventLog;

namespace BeeFormer.Streaming.Compatibility.Tests;

/// <summary>What recordings are made of: 40 items of four kinds, each user buys of one kind, and something of everything that an event can say.</summary>
internal static class SmallShop
{
    public const string Hidden = "item-07", Deleted = "item-39", Erased = "user/ärased", Shopper = "user-03";
    private const long Start = 1_772_323_200_000; // 2026-03-01

    private static readonly string[] s_first = ["amber", "birch", "copper", "dusty", "elder", "frost", "golden", "humble", "ivory", "jolly"], s_second = ["kettle", "ladder", "mirror", "needle"];

    /// <summary>Every event type of the default weights, and one that has none.</summary>
    private static readonly string[] s_types = ["purchase", "view", "click", "add_to_cart", "purchase", "rating", "wishlist", "purchase"];

    public static IEnumerable<object> Items => Enumerable.Range(0, 40).Select(n => (object)new
    {
        item_id = $"item-{n:D2}",
        title = $"{s_first[n % 10]} {s_second[(n + n / 10) % 4]} № {n}",
        description = n % 3 == 0 ? null : $"for the {s_first[(n + 3) % 10]} house",
        attributes = new { price = 1.5 * n, kind = s_second[n / 10] + "s", sale = n % 2 == 0, tags = (string[])[s_first[n % 10], "ž"] },
        image_url = n % 5 == 0 ? $"https://shop.example/{n}.jpg" : null,
        available = $"item-{n:D2}" != Hidden,
        updated_at = Start + n,
    });

    public static IEnumerable<object> Events => Enumerable.Range(0, 216).Select(n =>
    {
        int user = n % 24, kind = user % 4, step = n / 24;
        string type = s_types[(n * 5 + step) % s_types.Length];
        return (object)new
        {
            event_id = n % 4 == 0 ? null : $"event-{n:D3}",
            user_id = user == 23 ? Erased : $"user-{user:D2}",
            item_id = $"item-{kind * 10 + (user * 3 + step * 7) % 10:D2}",
            type,
            value = type == "rating" ? 5 - n % 3 : type == "purchase" ? 2.5 : (double?)null,
            timestamp = Start + n * 3_600_000L,
            session_id = n % 3 == 0 ? $"session-{user}" : null,
        };
    });

    /// <summary>The newest of all, from a user who stays.</summary>
    public static object Last { get; } = new { event_id = "event-last", user_id = Shopper, item_id = "item-30", type = "purchase", value = 1.0, timestamp = Start + 300 * 3_600_000L };

    /// <summary>What nobody can read, with headers.</summary>
    public static LogRecord Unreadable { get; } = new(Encoding.UTF8.GetBytes(Shopper), Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"user_id":"{{Shopper}}","type":"view","timestamp":{{Start}}}""")),
        [new LogHeader("source", "till 4"u8.ToArray())]);

    /// <summary>A CloudEvent, whose attributes stand in headers.</summary>
    public static LogRecord CloudEvent { get; } = new(Encoding.UTF8.GetBytes("user-05"), Encoding.UTF8.GetBytes("""{"user_id":"user-05","item_id":"item-15"}"""),
        [new LogHeader("ce_specversion", "1.0"u8.ToArray()), new LogHeader("ce_id", "cloud-1"u8.ToArray()), new LogHeader("ce_source", "/shop"u8.ToArray()), new LogHeader("ce_type", "purchase"u8.ToArray()),
            new LogHeader("ce_time", "2026-03-12T10:00:00Z"u8.ToArray()), new LogHeader("content-type", "application/json"u8.ToArray())]);
}
