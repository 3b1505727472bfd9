using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore;

/// <summary>Immutable segments of what the log delivered, named by its offsets. Safe for one writer a partition and many readers.</summary>
public interface IWindowStore
{
    /// <summary>First offset of the partition that no segment covers: where reading the log goes on. 0 for an empty store.</summary>
    long NextOffset(string topic, int partition);

    /// <summary>The same for every partition that has a segment.</summary>
    IReadOnlyDictionary<int, long> NextOffsets(string topic);

    /// <summary>First offset from <paramref name="from"/> on that a segment covers; null: none. Above <see cref="NextOffset"/> there is one only where a segment was lost: what lies before it has to land again.</summary>
    long? FirstCovered(string topic, int partition, long from);

    /// <summary>
    /// Writes one segment that covers offsets <paramref name="first"/> to <paramref name="last"/> (both included; rows may be fewer, even none, where messages were dead-lettered).
    /// Durable on return. False: another writer covered the range first, and nothing was changed.
    /// </summary>
    bool TryWriteInteractions(int partition, long first, long last, IReadOnlyList<StoredInteraction> rows);

    /// <inheritdoc cref="TryWriteInteractions"/>
    bool TryWriteItems(int partition, long first, long last, IReadOnlyList<StoredItem> rows);

    /// <summary>Interactions, distinct by event id, in event-time order, as one sparse weighted matrix.</summary>
    InteractionWindow Read(WindowQuery query);

    /// <summary>The newest description of every item that was not deleted, ordered by item id; unavailable items included.</summary>
    IReadOnlyList<StoredItem> ReadCatalogue();

    /// <summary>The catalogue as it was under these offsets.</summary>
    /// <param name="asOf">For each partition the first offset left out, as <see cref="NextOffsets"/> gave them; partitions not named are left out.</param>
    IReadOnlyList<StoredItem> ReadCatalogue(IReadOnlyDictionary<int, long> asOf);

    /// <summary>The newest row of every item under these offsets, deletions included, in no order: one after the other and unread, for a catalogue of more objects than memory should hold.</summary>
    /// <param name="asOf">As for <see cref="ReadCatalogue(IReadOnlyDictionary{int, long})"/>.</param>
    /// <param name="descriptions">False: <see cref="CatalogueRow.Json"/> is empty where the item exists, and reading costs less.</param>
    void ScanCatalogue(IReadOnlyDictionary<int, long> asOf, bool descriptions, Action<CatalogueRow> take);

    /// <summary>
    /// Erases the user: notes it durably, then removes from all segments (rewritten, then exchanged) the user's rows with event times up to <paramref name="atMs"/>, and those that landed before
    /// the erasure was first noted whatever their time. May be repeated, also after a crash: the repetition finishes the work. A later time extends an earlier erasure.
    /// </summary>
    /// <param name="atMs">The log's time of the request, UTC milliseconds.</param>
    void Erase(UserId user, long atMs);

    /// <summary>Whether the user was erased at or after that event time. Costs a comparison for events newer than all erasures, a SHA-256 for others. What another process erases is known after the next upkeep.</summary>
    bool IsErased(UserId user, long timestampMs);

    /// <summary>All erasures that this store knows, with what was removed.</summary>
    IReadOnlyList<Erasure> Erasures();

    /// <summary>Names of everything in the store that holds the user: segments, those that are not read any more, copies and temporary files. Files that cannot be read are named, too.</summary>
    IReadOnlyList<string> FindUser(UserId user);

    /// <summary>Distinct counts over everything that the store holds.</summary>
    WindowSummary Describe();

    /// <summary>Event ids that start with <paramref name="prefix"/>: what a resumed replay need not send again.</summary>
    IReadOnlySet<string> EventIds(string prefix);
}

/// <summary>An interaction as landed. <see cref="EventId"/> is never null: where the producer gave none it is <c>topic/partition/offset</c>.</summary>
public readonly record struct StoredInteraction(
    long Offset, string EventId, UserId User, ItemId Item, string Type, double? Value, long TimestampMs, string? SessionId);

/// <param name="Event">Null: the item was deleted.</param>
public readonly record struct StoredItem(int Partition, long Offset, ItemId Id, ItemEvent? Event);

/// <param name="Json">The item's event as stored, for <see cref="Read"/>; null: the item was deleted.</param>
public readonly record struct CatalogueRow(long Offset, ItemId Id, string? Json)
{
    /// <param name="json"><see cref="Json"/> as UTF-8.</param>
    public static ItemEvent Read(ReadOnlyMemory<byte> json) => ItemJson.Read(json);
}

/// <summary>Which interactions form a window and what each weighs.</summary>
public sealed record WindowQuery
{
    /// <summary>Event time, UTC milliseconds, included. Null: from the beginning.</summary>
    public long? FromMs { get; init; }
    /// <summary>Event time, UTC milliseconds, excluded. Null: to the end.</summary>
    public long? ToMs { get; init; }
    /// <summary>Keep only the newest N interactions by event time. Null: all.</summary>
    public int? LastN { get; init; }
    /// <summary>For each partition the first offset left out (reads are reproducible under the same value). Null: everything that is durable now.</summary>
    public IReadOnlyDictionary<int, long>? AsOf { get; init; }
    /// <summary>For each partition the first offset taken; a partition not named is taken from its begin. Null: all from the begin.</summary>
    public IReadOnlyDictionary<int, long>? FromOffsets { get; init; }
    /// <summary>Weight of each event type; types not named here are left out. A rating counts from <see cref="MinRating"/> on.</summary>
    public IReadOnlyDictionary<string, double> TypeWeights { get; init; } = DefaultTypeWeights;
    /// <summary>Ratings below are left out. Default 4.</summary>
    public double MinRating { get; init; } = 4;
    /// <summary>Weights halve with this age against the window's newest event. Null: no decay.</summary>
    public TimeSpan? HalfLife { get; init; }
    /// <summary>Users with fewer distinct items are left out. Default 1.</summary>
    public int MinItemsPerUser { get; init; } = 1;
    /// <summary>Items with fewer distinct users are left out. Default 1.</summary>
    public int MinUsersPerItem { get; init; } = 1;
    /// <summary>Only the users of a draw, each with all of the range that the rest of the query describes. Null: all users.</summary>
    public UserDraw? Draw { get; init; }

    public static IReadOnlyDictionary<string, double> DefaultTypeWeights { get; } =
        new Dictionary<string, double> { ["view"] = 0.1, ["click"] = 0.3, ["add_to_cart"] = 0.6, ["purchase"] = 1.0, ["rating"] = 1.0 };
}

/// <summary>Users in an order drawn by the seed, as many as have <paramref name="Interactions"/> interactions together at most; who alone has more is never drawn.</summary>
/// <param name="Interactions">Counted before repeated event ids are dropped.</param>
public sealed record UserDraw(long Interactions, string Seed);

/// <summary>
/// A window as columns of equal length in event-time order (ties: user id, item id, type): entry n says that user <c>Users[User[n]]</c>
/// touched item <c>Items[Item[n]]</c> at <c>TimestampMs[n]</c> with <c>Weight[n]</c>. Users and items are sorted by id. A pair may occur several times.
/// </summary>
public sealed record InteractionWindow(
    IReadOnlyList<UserId> Users, IReadOnlyList<ItemId> Items, int[] User, int[] Item, float[] Weight, long[] TimestampMs,
    IReadOnlyDictionary<int, long> AsOf, string ContentHash)
{
    public int Count => User.Length;
}

/// <param name="Interactions">Distinct by event id.</param>
/// <param name="Items">Distinct items that occur in interactions.</param>
/// <param name="CatalogueItems">Items described and not deleted.</param>
public sealed record WindowSummary(
    long Interactions, long Users, long Items, long CatalogueItems, long? FromMs, long? ToMs, int InteractionSegments, int ItemSegments, long Bytes);
