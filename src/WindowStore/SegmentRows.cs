using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore;

/// <summary>Reads segments back as rows, ordered by offset: for rewriting them and for the catalogue.</summary>
internal static class SegmentRows
{
    public static List<StoredInteraction> Interactions(IReadOnlyList<Segment> segments, string spillFolder)
    {
        using var duck = new SegmentQuery(segments, spillFolder);
        return duck.Rows($"""SELECT "offset", event_id, user_id, item_id, type, value, epoch_ms(timestamp), session_id FROM {duck.Table} ORDER BY "offset" """, r =>
            new StoredInteraction(r.GetInt64(0), r.GetString(1), new UserId(r.GetString(2)), new ItemId(r.GetString(3)), r.GetString(4),
                r.IsDBNull(5) ? null : r.GetDouble(5), r.GetInt64(6), r.IsDBNull(7) ? null : r.GetString(7)));
    }

    public static List<StoredItem> Items(IReadOnlyList<Segment> segments, string spillFolder)
    {
        using var duck = new SegmentQuery(segments, spillFolder);
        return duck.Rows($"""SELECT p, "offset", item_id, event FROM {duck.Table} ORDER BY "offset" """, Item);
    }

    /// <summary>Newest row of each item, deletions left out.</summary>
    /// <param name="asOf">For each partition the first offset left out; null: all that the segments hold.</param>
    public static List<StoredItem> Catalogue(IReadOnlyList<Segment> segments, string spillFolder, IReadOnlyDictionary<int, long>? asOf = null)
    {
        using var duck = new SegmentQuery(segments, spillFolder);
        var newest = duck.Rows($"""
            SELECT p, "offset", item_id, event FROM {duck.Table} WHERE {(asOf is null ? "true" : Under(asOf))}
            QUALIFY row_number() OVER (PARTITION BY item_id ORDER BY p DESC, "offset" DESC) = 1
            """, Item);
        return [.. newest.Where(item => item.Event is not null).OrderBy(item => item.Id)];
    }

    /// <inheritdoc cref="IWindowStore.ScanCatalogue"/>
    public static void Scan(IReadOnlyList<Segment> segments, string spillFolder, IReadOnlyDictionary<int, long> asOf, bool descriptions, Action<CatalogueRow> take)
    {
        using var duck = new SegmentQuery(segments, spillFolder);
        duck.Each($"""
            SELECT "offset", item_id, {(descriptions ? "event" : "CASE WHEN event IS NULL THEN NULL ELSE '' END")} FROM {duck.Table} WHERE {Under(asOf)}
            QUALIFY row_number() OVER (PARTITION BY item_id ORDER BY p DESC, "offset" DESC) = 1
            """, r => take(new CatalogueRow(r.GetInt64(0), new ItemId(r.GetString(1)), r.IsDBNull(2) ? null : r.GetString(2))));
    }

    private static string Under(IReadOnlyDictionary<int, long> asOf) =>
        string.Join(" OR ", asOf.Select(p => $"(p = {p.Key} AND \"offset\" < {p.Value})").DefaultIfEmpty("false"));

    private static StoredItem Item(DuckDB.NET.Data.DuckDBDataReader r) =>
        new(r.GetInt32(0), r.GetInt64(1), new ItemId(r.GetString(2)), r.IsDBNull(3) ? null : ItemJson.Read(r.GetString(3)));
}
