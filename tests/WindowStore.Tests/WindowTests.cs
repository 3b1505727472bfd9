using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore.Tests;

public abstract class WindowTests(StoragePlace place) : IDisposable
{
    private readonly ParquetWindowStore store = place.Open();
    public void Dispose() => place.Dispose();

    public sealed class InAFolder() : WindowTests(new FolderPlace());
    public sealed class OnS3(S3Server server) : WindowTests(new S3Place(server));

    private static StoredInteraction Event(long offset, string type, double? value, long ms = 0) =>
        new(offset, $"e{offset}", new UserId("u"), new ItemId($"i{offset}"), type, value, ms, null);

    [Fact]
    public void An_empty_store_gives_an_empty_window()
    {
        var window = store.Read(new WindowQuery());
        Assert.Equal(0, window.Count);
        Assert.Empty(window.AsOf);
        Assert.Equal(window.ContentHash, store.Read(new WindowQuery { LastN = 5 }).ContentHash);
    }

    [Fact]
    public void Rows_come_in_event_time_order_with_ties_by_user_item_and_event()
    {
        store.Write(1, Rows.Purchase(0, "b", "x", 20), Rows.Purchase(1, "a", "y", 20), Rows.Purchase(2, "a", "x", 20));
        store.Write(0, Rows.Purchase(0, "c", "x", 10, "other"));
        Assert.Equal(["c x 1@10", "a x 1@20", "a y 1@20", "b x 1@20"], store.Read(new WindowQuery()).Lines());
    }

    [Fact]
    public void The_same_event_id_counts_once_and_the_lowest_position_wins()
    {
        store.Write(1, Rows.Purchase(0, "u", "late", 1, "same"));
        store.Write(0, Rows.Purchase(0, "v", "x", 1), Rows.Purchase(7, "u", "first", 2, "same"), Rows.Purchase(8, "u", "second", 1, "same"));
        Assert.Equal(["v x 1@1", "u first 1@2"], store.Read(new WindowQuery()).Lines());
        Assert.Equal(2, store.Describe().Interactions);
    }

    [Fact]
    public void The_time_range_includes_its_start_and_excludes_its_end()
    {
        store.Write(0, Rows.Purchase(0, "u", "a", 999), Rows.Purchase(1, "u", "b", 1000), Rows.Purchase(2, "u", "c", 1999), Rows.Purchase(3, "u", "d", 2000));
        Assert.Equal(["u b 1@1000", "u c 1@1999"], store.Read(new WindowQuery { FromMs = 1000, ToMs = 2000 }).Lines());
        Assert.Equal(4, store.Read(new WindowQuery { FromMs = long.MinValue, ToMs = long.MaxValue }).Count);
    }

    [Fact]
    public void Last_n_keeps_the_newest_by_event_time()
    {
        store.Write(0, Rows.Purchase(0, "u", "new", 30), Rows.Purchase(1, "u", "old", 10), Rows.Purchase(2, "u", "mid", 20));
        Assert.Equal(["u mid 1@20", "u new 1@30"], store.Read(new WindowQuery { LastN = 2 }).Lines());
        Assert.Equal(3, store.Read(new WindowQuery { LastN = 9 }).Count);
    }

    [Fact]
    public void From_offsets_gives_what_landed_since_an_earlier_read()
    {
        store.Write(0, Rows.Purchase(0, "u", "a", 9), Rows.Purchase(1, "u", "b", 2));
        var before = store.Read(new WindowQuery()).AsOf;
        Assert.Equal(0, store.Read(new WindowQuery { FromOffsets = before }).Count);
        store.Write(0, Rows.Purchase(2, "u", "c", 1));
        store.Write(1, Rows.Purchase(0, "v", "d", 3));
        Assert.Equal(["u c 1@1", "v d 1@3"], store.Read(new WindowQuery { FromOffsets = before }).Lines());
        Assert.Equal(["u b 1@2", "u c 1@1", "v d 1@3"], store.Read(new WindowQuery { FromOffsets = new Dictionary<int, long> { [0] = 1 } }).Lines().Order());
    }

    [Fact]
    public void As_of_repeats_an_earlier_read_whatever_came_later()
    {
        store.Write(0, Rows.Purchase(0, "u", "a", 1), Rows.Purchase(1, "u", "b", 2));
        var before = store.Read(new WindowQuery());
        Assert.Equal(2, before.AsOf[0]);
        store.Write(0, Rows.Purchase(2, "u", "c", 0));
        store.Write(5, Rows.Purchase(0, "w", "c", 0));
        var again = store.Read(new WindowQuery { AsOf = before.AsOf });
        Assert.Equal(before.Lines(), again.Lines());
        Assert.Equal(before.ContentHash, again.ContentHash);
        Assert.NotEqual(before.ContentHash, store.Read(new WindowQuery()).ContentHash);
        Assert.Equal(["u a 1@1"], store.Read(new WindowQuery { AsOf = new Dictionary<int, long> { [0] = 1 } }).Lines());
    }

    [Fact]
    public void Types_weigh_as_asked_and_low_ratings_are_left_out()
    {
        store.Write(0, Event(0, "view", null), Event(1, "click", null), Event(2, "add_to_cart", 2), Event(3, "purchase", 1),
            Event(4, "rating", 3.9), Event(5, "rating", 4), Event(6, "rating", null), Event(7, "it's own", null));
        Assert.Equal(["i0:0.1", "i1:0.3", "i2:0.6", "i3:1", "i5:1"], Weights(new WindowQuery()));
        Assert.Equal(["i4:2", "i5:2", "i7:0.5"], Weights(new WindowQuery { MinRating = 3.5, TypeWeights = new Dictionary<string, double> { ["rating"] = 2, ["it's own"] = 0.5 } }));

        string[] Weights(WindowQuery query)
        {
            var window = store.Read(query);
            return [.. Enumerable.Range(0, window.Count).Select(n => $"{window.Items[window.Item[n]]}:{window.Weight[n]:R}")];
        }
    }

    [Fact]
    public void Weights_halve_with_every_half_life_before_the_newest_event()
    {
        store.Write(0, Rows.Purchase(0, "u", "a", 0), Rows.Purchase(1, "u", "b", 1000), Rows.Purchase(2, "u", "c", 2000));
        Assert.Equal([0.25f, 0.5f, 1f], store.Read(new WindowQuery { HalfLife = TimeSpan.FromSeconds(1) }).Weight);
    }

    [Fact]
    public void Users_and_items_with_too_little_leave_until_all_have_enough()
    {
        // u3 has two items, but loses y when y loses u4; then u3 is short as well.
        store.Write(0, Rows.Purchase(0, "u1", "a", 1), Rows.Purchase(1, "u1", "b", 2), Rows.Purchase(2, "u2", "a", 3), Rows.Purchase(3, "u2", "b", 4),
            Rows.Purchase(4, "u3", "a", 5), Rows.Purchase(5, "u3", "y", 6), Rows.Purchase(6, "u4", "y", 7), Rows.Purchase(7, "u4", "y", 8));
        var window = store.Read(new WindowQuery { MinItemsPerUser = 2, MinUsersPerItem = 2 });
        Assert.Equal(["u1 a 1@1", "u1 b 1@2", "u2 a 1@3", "u2 b 1@4"], window.Lines());
        Assert.Equal(["u1", "u2"], window.Users.Select(u => u.Value));
        Assert.Equal(["a", "b"], window.Items.Select(i => i.Value));
    }

    [Fact]
    public void Ids_are_sorted_as_ids_compare_even_beyond_the_basic_plane()
    {
        store.Write(0, Rows.Purchase(0, "\uff5e", "i", 1), Rows.Purchase(1, "😀", "i", 1), Rows.Purchase(2, "a", "\ue000", 1), Rows.Purchase(3, "a", "😀", 1));
        var window = store.Read(new WindowQuery());
        Assert.Equal(window.Users.Order(), window.Users);
        Assert.Equal(window.Items.Order(), window.Items);
        Assert.Equal(["a 😀 1@1", "a \ue000 1@1", "😀 i 1@1", "\uff5e i 1@1"], window.Lines());
    }

    [Fact]
    public void Event_ids_are_found_by_prefix_taken_literally()
    {
        store.Write(0, Rows.Purchase(0, "u", "i", 1, "a_b'%:1"), Rows.Purchase(1, "u", "i", 1, "a_b'%:2"), Rows.Purchase(2, "u", "i", 1, "aXb'%:3"));
        Assert.Equal(["a_b'%:1", "a_b'%:2"], store.EventIds("a_b'%:").Order());
    }

    [Fact]
    public void Describe_counts_what_is_there()
    {
        store.Write(0, Rows.Purchase(0, "u", "a", 5), Rows.Purchase(1, "v", "a", 9));
        var summary = store.Describe();
        Assert.Equal((2L, 2L, 1L, 5L, 9L, 1), (summary.Interactions, summary.Users, summary.Items, summary.FromMs!.Value, summary.ToMs!.Value, summary.InteractionSegments));
        Assert.True(summary.Bytes > 100);
    }

    [Fact]
    public void A_draw_gives_whole_histories_of_users_that_the_seed_chooses()
    {
        StoredInteraction[] rows = [.. Enumerable.Range(0, 200).Select(n => Rows.Purchase(n, $"u{n % 40}", $"i{n}", n)), .. Enumerable.Range(200, 100).Select(n => Rows.Purchase(n, "many", $"i{n}", n)), Event(300, "rating", 1)];
        store.Write(0, rows);
        InteractionWindow drawn = Draw(48, "a"), whole = store.Read(new WindowQuery());
        Assert.Equal(45, drawn.Count); // nine users with five interactions each; who has more than were asked for is left out
        Assert.Equal(9, drawn.Users.Count);
        Assert.All(drawn.Lines(), line => Assert.Contains(line, whole.Lines()));
        Assert.Equal(drawn.ContentHash, Draw(48, "a").ContentHash);
        Assert.NotEqual(drawn.ContentHash, Draw(48, "b's").ContentHash);
        Assert.Empty(Draw(4, "a").Users);
        Assert.Equal(300, Draw(1000, "a").Count);

        InteractionWindow Draw(long interactions, string seed) => store.Read(new WindowQuery { Draw = new UserDraw(interactions, seed) });
    }

    /// <summary>The newest lie in the last segment; what was sent again counts once, where it came first.</summary>
    [Fact]
    public void The_newest_are_found_without_the_rest_and_repetitions_of_older_events_are_none()
    {
        for (int segment = 0; segment < 10; segment++)
            store.Write(0, [.. Enumerable.Range(segment * 10, 10).Select(n => Rows.Purchase(n, $"u{n}", "i", 1000 + n))]);
        Assert.Equal(["u97 i 1@1097", "u98 i 1@1098", "u99 i 1@1099"], store.Read(new WindowQuery { LastN = 3 }).Lines());
        Assert.Equal(Enumerable.Range(75, 25).Select(n => $"u{n} i 1@{1000 + n}"), store.Read(new WindowQuery { LastN = 25 }).Lines());
        string id = Rows.Purchase(42, "u42", "i", 1042).EventId;
        store.Write(0, Rows.Purchase(100, "u42", "i", 1100, id), Rows.Purchase(101, "u101", "i", 1101), Rows.Purchase(102, "u101", "j", 1102, "twice"), Rows.Purchase(103, "u101", "k", 1103, "twice"));
        Assert.Equal(["u98 i 1@1098", "u99 i 1@1099", "u101 i 1@1101", "u101 j 1@1102"], store.Read(new WindowQuery { LastN = 4 }).Lines());
        Assert.Equal(["u101 i 1@1101", "u101 j 1@1102"], store.Read(new WindowQuery { LastN = 2 }).Lines());
        Assert.Equal(["u95 i 1@1095", "u96 i 1@1096"], store.Read(new WindowQuery { LastN = 2, ToMs = 1097 }).Lines());
        // A newer event that comes first in the log and again with an older time is the newer one.
        store.Write(1, Rows.Purchase(0, "late", "i", 1, "early"));
        store.Write(0, Rows.Purchase(104, "new", "i", 1104, "early"));
        Assert.Equal(["u101 j 1@1102", "new i 1@1104"], store.Read(new WindowQuery { LastN = 2 }).Lines());
    }

    [Fact]
    public void A_query_that_makes_no_sense_is_refused()
    {
        Assert.Throws<ArgumentException>(() => store.Read(new WindowQuery { Draw = new UserDraw(-1, "") }));
        Assert.Throws<ArgumentException>(() => store.Read(new WindowQuery { LastN = -1 }));
        Assert.Throws<ArgumentException>(() => store.Read(new WindowQuery { HalfLife = TimeSpan.Zero }));
        Assert.Throws<ArgumentException>(() => store.Read(new WindowQuery { TypeWeights = new Dictionary<string, double> { ["view"] = double.NaN } }));
    }
}
