namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>The limits that a collection sets to requests.</summary>
internal sealed class StrictMode(StrictModeConfig? config, TimeProvider time)
{
    private readonly RateLimit? reads = Rate(config, "Read", config?.HasReadRateLimit == true ? config.ReadRateLimit : 0, time);
    private readonly RateLimit? writes = Rate(config, "Write", config?.HasWriteRateLimit == true ? config.WriteRateLimit : 0, time);

    private StrictModeConfig? Limits { get; } = config is { Enabled: true } ? config : null;

    public void Read(int cost = 1) => reads?.Take(cost);

    public void Write(int cost) => writes?.Take(cost);

    public void Timeout(ulong? seconds)
    {
        if (Limits is { HasMaxTimeout: true }) AtMost("timeout", seconds, Limits.MaxTimeout);
    }

    public void Limit(ulong? limit)
    {
        if (Limits is { HasMaxQueryLimit: true }) AtMost("limit", limit, Limits.MaxQueryLimit);
    }

    public void BatchSize(int points)
    {
        if (Limits is { HasUpsertMaxBatchsize: true }) AtMost("upsert limit", (ulong)points, Limits.UpsertMaxBatchsize);
    }

    public void Search(SearchParams? parameters)
    {
        if (Limits is null || parameters is null) return;
        if (Limits.HasSearchMaxHnswEf) AtMost("hnsw_ef", parameters.HasHnswEf ? parameters.HnswEf : null, Limits.SearchMaxHnswEf);
        if (parameters.HasExact) Exact(parameters.Exact);
        if (Limits.HasSearchMaxOversampling && parameters.Quantization is { HasOversampling: true } quantisation && quantisation.Oversampling > Limits.SearchMaxOversampling)
            throw Exceeded("oversampling", Number(quantisation.Oversampling), Number(Limits.SearchMaxOversampling));
    }

    public void Exact(bool exact)
    {
        if (exact && Limits is { HasSearchAllowExact: true, SearchAllowExact: false }) throw Refusal.BadRequest("Exact search disabled!. Help: Set exact=false.");
    }

    public void Filter(Filter? filter, IReadOnlyDictionary<string, FieldType> indexes, bool update)
    {
        if (filter is null || Limits is null) return;
        if (update ? Limits is { HasUnindexedFilteringUpdate: true, UnindexedFilteringUpdate: false } : Limits is { HasUnindexedFilteringRetrieve: true, UnindexedFilteringRetrieve: false })
            foreach (var (key, types) in IndexNeeds.Of(filter))
                if (!indexes.TryGetValue(key, out var type) || !types.Contains(type))
                    throw Refusal.BadRequest($"Index required but not found for \"{key}\" of one of the following types: [{string.Join(", ", types).ToLowerInvariant()}]. Help: Create an index for this key or use a different filter.");
    }

    private static RateLimit? Rate(StrictModeConfig? config, string kind, uint perMinute, TimeProvider time) =>
        config is { Enabled: true } && perMinute > 0 ? new RateLimit(kind, perMinute, time) : null;

    private static void AtMost(string name, ulong? asked, ulong limit)
    {
        if (asked > limit) throw Exceeded(name, Number(asked.Value), Number(limit));
    }

    private static Grpc.Core.RpcException Exceeded(string name, string asked, string limit) =>
        Refusal.BadRequest($"Limit exceeded {asked} > {limit} for \"{name}\". Help: Reduce the \"{name}\" parameter to or below {limit}.");

    private static string Number(IFormattable value) => value.ToString(null, System.Globalization.CultureInfo.InvariantCulture);
}
