using System.Globalization;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore;

/// <summary>
/// From segments to a window. DuckDB does what touches strings (scan, distinct event ids, dictionaries, order) and hands numbers over;
/// what follows works on arrays.
/// </summary>
internal static class WindowReader
{
    public static InteractionWindow Read(WindowQuery query, IReadOnlyList<Segment> visible, string spillFolder)
    {
        Check(query);
        IReadOnlyDictionary<int, long> asOf = query.AsOf ?? visible.GroupBy(s => s.Partition).ToDictionary(g => g.Key, g => SegmentFolder.NextOffset([.. g]));
        long From(int partition) => query.FromOffsets?.GetValueOrDefault(partition) ?? 0;
        var segments = visible.Where(s => Needs(query with { AsOf = asOf }, s)).ToList();
        var types = query.TypeWeights.Keys.Order(StringComparer.Ordinal).ToArray();
        if (segments.Count == 0 || types.Length == 0 || query.LastN == 0) return Empty(asOf);

        using var duck = new SegmentQuery(segments, spillFolder);
        string offsetRule = string.Join(" OR ", segments.Select(s => s.Partition).Distinct().Select(p => $"(p = {p} AND \"offset\" >= {From(p)} AND \"offset\" < {asOf[p]})"));
        string fromRule = query.FromMs is { } from ? $" AND timestamp >= {Timestamp(from)}" : "";
        string toRule = query.ToMs is { } to ? $" AND timestamp < {Timestamp(to)}" : "";
        string minRating = query.MinRating.ToString("R", CultureInfo.InvariantCulture);
        string where = $"({offsetRule}){fromRule}{toRule}";
        string counted = $"type IN ({string.Join(", ", types.Select(SegmentQuery.Text))}) AND (type <> 'rating' OR value >= {minRating})";
        if (query.Draw is { } draw)
        {
            DrawUsers(duck, draw, $"{where} AND {counted}");
            where += " AND user_id IN (SELECT user_id FROM drawn)";
        }
        // Of a draw, whom it chooses decides how far back the newest rows lie.
        string distinct = query is { LastN: { } newest, Draw: null } ? NewestEvents(duck, where, counted, newest) : DistinctEvents(duck, where, since: null);
        string typeNumber = string.Join(' ', types.Select((type, number) => $"WHEN {SegmentQuery.Text(type)} THEN {number}"));
        string events = $"""
            (SELECT user_id, item_id, epoch_ms(timestamp) AS ms, (CASE type {typeNumber} END)::INTEGER AS t FROM {distinct} WHERE {counted})
            """;
        // The segments are read again for each step: that takes less than a copy of them in memory.
        duck.Execute($"""
            CREATE TEMP TABLE users AS SELECT user_id, (row_number() OVER (ORDER BY user_id) - 1)::INTEGER AS u FROM (SELECT DISTINCT user_id FROM {events});
            CREATE TEMP TABLE items AS SELECT item_id, (row_number() OVER (ORDER BY item_id) - 1)::INTEGER AS i FROM (SELECT DISTINCT item_id FROM {events});
            """);
        var users = duck.Rows("SELECT user_id FROM users ORDER BY u", r => r.GetString(0));
        var items = duck.Rows("SELECT item_id FROM items ORDER BY i", r => r.GetString(0));
        var rows = WindowRows.Of((int)duck.Rows($"SELECT count(*) FROM {events}", r => r.GetInt64(0))[0]);
        int filled = 0;
        duck.Chunks($"SELECT ms, u, i, t FROM {events} JOIN users USING (user_id) JOIN items USING (item_id) ORDER BY ms, u, i, t", chunk =>
        {
            chunk.Column<long>(0).CopyTo(rows.TimestampMs.AsSpan(filled));
            chunk.Column<int>(1).CopyTo(rows.User.AsSpan(filled));
            chunk.Column<int>(2).CopyTo(rows.Item.AsSpan(filled));
            chunk.Column<int>(3).CopyTo(rows.Type.AsSpan(filled));
            filled += chunk.Rows;
        });

        rows = rows.InOrdinalOrder(users, items);
        if (query.LastN is { } n) rows = rows.Last(n);
        rows = rows.Where(EnoughInteractions.Keep(rows, users.Count, items.Count, query.MinItemsPerUser, query.MinUsersPerItem));
        var (usedUsers, user) = Used(users, rows.User);
        var (usedItems, item) = Used(items, rows.Item);
        float[] weight = Weights(rows, [.. types.Select(type => query.TypeWeights[type])], query.HalfLife);
        var window = new InteractionWindow([.. usedUsers.Select(id => new UserId(id))], [.. usedItems.Select(id => new ItemId(id))], user, item, weight, rows.TimestampMs, asOf, "");
        return window with { ContentHash = WindowHash.Of(window) };
    }

    /// <summary>Whether the query can want rows of the segment, by its offsets alone.</summary>
    public static bool Needs(WindowQuery query, Segment segment) =>
        segment.Last >= (query.FromOffsets?.GetValueOrDefault(segment.Partition) ?? 0)
        && (query.AsOf is not { } asOf || (asOf.TryGetValue(segment.Partition, out long end) && segment.First < end));

    /// <summary>MD5 mixes the ids: the same seed draws the same users whatever the version of DuckDB.</summary>
    private static void DrawUsers(SegmentQuery duck, UserDraw draw, string where) => duck.Execute($"""
        CREATE TEMP TABLE drawn AS SELECT user_id FROM (
            SELECT user_id, sum(n) OVER (ORDER BY place, user_id ROWS UNBOUNDED PRECEDING) AS together FROM (
                SELECT user_id, md5({SegmentQuery.Text(draw.Seed + " ")} || user_id) AS place, count(*) AS n FROM {duck.Table} WHERE {where} GROUP BY user_id)
            WHERE n <= {draw.Interactions}) WHERE together <= {draw.Interactions}
        """);

    /// <summary>Rows, each event id once, that hold the newest of those that count: those of the last row groups, of as many as that takes.</summary>
    /// <returns>To stand behind FROM.</returns>
    private static string NewestEvents(SegmentQuery duck, string where, string counted, int newest)
    {
        bool Enough(string rows, string where) => duck.Rows($"SELECT count(*) FROM {rows} WHERE {where} AND {counted}", r => r.GetInt64(0))[0] >= newest;
        var groups = new RowGroups(duck);
        for (long wanted = newest; groups.Since(wanted) is { } since; wanted *= 2)
        {
            if (!Enough(duck.Table, $"{where} AND timestamp >= {Timestamp(since)}")) continue;
            string distinct = DistinctEvents(duck, where, since);
            if (Enough(distinct, "TRUE")) return distinct;
        }
        return DistinctEvents(duck, where, since: null);
    }

    /// <summary>
    /// The rows, each event id once: of events with the same id the one with the lowest (partition, offset). Hashes tell whether there are such at all, and find the few candidates,
    /// so that the usual case compares no strings and copies nothing.
    /// </summary>
    /// <param name="since">Only of events since then, UTC milliseconds, though the one that counts may be older, and then none does. Null: of all.</param>
    /// <returns>To stand behind FROM.</returns>
    private static string DistinctEvents(SegmentQuery duck, string where, long? since)
    {
        const string columns = "p, \"offset\", event_id, user_id, item_id, type, value, timestamp";
        string from = since is { } ms ? $"timestamp >= {Timestamp(ms)}" : "TRUE";
        string landed = $"(SELECT {columns} FROM {duck.Table} WHERE {where} AND {from})";
        string earlier = "";
        bool repeated = duck.Rows($"SELECT count(*) > count(DISTINCT hash(event_id)) FROM {landed}", r => r.GetBoolean(0))[0];
        if (since is not null)
        {
            duck.Execute($"""
                CREATE OR REPLACE TEMP TABLE ids AS SELECT hash(event_id) AS id FROM {landed};
                CREATE OR REPLACE TEMP TABLE earlier AS SELECT p, "offset", event_id FROM {duck.Table} WHERE {where} AND NOT ({from}) AND hash(event_id) IN (SELECT id FROM ids)
                """);
            earlier = "UNION ALL BY NAME SELECT * FROM earlier"; // the rest of them is null
            repeated |= duck.Rows("SELECT count(*) > 0 FROM earlier", r => r.GetBoolean(0))[0];
        }
        if (!repeated) return landed;
        duck.Execute($"""
            CREATE OR REPLACE TEMP TABLE landed AS SELECT * FROM {landed} {earlier};
            DELETE FROM landed WHERE rowid IN (SELECT row FROM (
                SELECT rowid AS row, row_number() OVER (PARTITION BY event_id ORDER BY p, "offset") AS nth FROM landed
                WHERE hash(event_id) IN (SELECT hash(event_id) FROM landed GROUP BY 1 HAVING count(*) > 1)) WHERE nth > 1);
            DELETE FROM landed WHERE timestamp IS NULL
            """);
        return "landed";
    }

    private static float[] Weights(WindowRows rows, double[] typeWeights, TimeSpan? halfLife)
    {
        var weight = new float[rows.Count];
        long newest = rows.Count == 0 ? 0 : rows.TimestampMs[^1];
        for (int n = 0; n < weight.Length; n++)
        {
            double decay = halfLife is { } half ? Math.Pow(0.5, (newest - rows.TimestampMs[n]) / half.TotalMilliseconds) : 1;
            weight[n] = (float)(typeWeights[rows.Type[n]] * decay);
        }
        return weight;
    }

    /// <summary>The ids that occur, in their old order, and the codes renumbered to them.</summary>
    private static (List<string> Ids, int[] Codes) Used(List<string> ids, int[] codes)
    {
        var number = new int[ids.Count];
        foreach (int code in codes) number[code] = 1;
        var used = new List<string>();
        for (int code = 0; code < number.Length; code++)
            if (number[code] == 1)
            {
                number[code] = used.Count;
                used.Add(ids[code]);
            }
        return (used, [.. codes.Select(code => number[code])]);
    }

    private static InteractionWindow Empty(IReadOnlyDictionary<int, long> asOf)
    {
        var window = new InteractionWindow([], [], [], [], [], [], asOf, "");
        return window with { ContentHash = WindowHash.Of(window) };
    }

    /// <summary>Bounds beyond the calendar are bounds at its end.</summary>
    private static string Timestamp(long ms)
    {
        long clamped = Math.Clamp(ms, DateTimeOffset.MinValue.ToUnixTimeMilliseconds(), DateTimeOffset.MaxValue.ToUnixTimeMilliseconds());
        return $"make_timestamptz({clamped * 1000})";
    }

    private static void Check(WindowQuery query)
    {
        if (query.LastN < 0) throw new ArgumentException($"LastN is {query.LastN}; expected 0 or more.", nameof(query));
        if (query.Draw is { Interactions: < 0 } draw) throw new ArgumentException($"Draw asks for {draw.Interactions} interactions; expected 0 or more.", nameof(query));
        if (query.HalfLife is { } half && half <= TimeSpan.Zero) throw new ArgumentException($"HalfLife is {half}; expected more than 0.", nameof(query));
        if (double.IsNaN(query.MinRating) || double.IsInfinity(query.MinRating)) throw new ArgumentException("MinRating must be a finite number.", nameof(query));
        foreach (var (type, weight) in query.TypeWeights)
            if (!double.IsFinite(weight) || weight < 0) throw new ArgumentException($"The weight of type {type} is {weight}; expected a finite number, 0 or more.", nameof(query));
    }
}
