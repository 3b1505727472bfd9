namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>Checks of a request that the server makes before it looks at anything else.</summary>
internal static class Body
{
    private static readonly char[] NotInNames = ['<', '>', ':', '"', '/', '\\', '|', '?', '*', '\0', '\u001F'];

    public static void CollectionName(string name, string field = "collection_name")
    {
        if (name.EnumerateRunes().Count() is 0 or > 255) throw Refusal.Body(field, $"value \"{name}\" invalid, must be from 1 to 255 characters");
    }

    public static void NewCollectionName(string name)
    {
        CollectionName(name);
        foreach (var c in NotInNames)
            if (name.Contains(c, StringComparison.Ordinal)) throw Refusal.Body("collection_name", $"collection name cannot contain \"{c}\" char");
    }

    /// <param name="given">Null: unset, which is fine.</param>
    public static void AtLeast(ulong least, ulong? given, string field)
    {
        if (given < least) throw Refusal.Body(field, $"value {given} invalid, must be {least} or larger");
    }

    public static void Consistency(ReadConsistency? consistency)
    {
        if (consistency is { ValueCase: ReadConsistency.ValueOneofCase.Factor, Factor: 0 }) throw Refusal.Invalid("factor: Validation error: range [{\"min\": Number(1), \"value\": Number(0)}]");
    }

    public static void Settings(CreateCollection request)
    {
        NewCollectionName(request.CollectionName);
        Hnsw(request.HnswConfig, "hnsw_config");
        if (request.WalConfig is { HasWalCapacityMb: true } wal) AtLeast(1, wal.WalCapacityMb, "wal_config.wal_capacity_mb");
        if (request.HasShardNumber) AtLeast(1, request.ShardNumber, "shard_number");
        if (request.HasReplicationFactor) AtLeast(1, request.ReplicationFactor, "replication_factor");
        if (request.HasWriteConsistencyFactor) AtLeast(1, request.WriteConsistencyFactor, "write_consistency_factor");
        Quantisation(request.QuantizationConfig?.Scalar);
        if (request.VectorsConfig?.Params is { } only) Vectors(only);
        foreach (var parameters in request.VectorsConfig?.ParamsMap?.Map.Values ?? []) Vectors(parameters);
    }

    public static void Settings(UpdateCollection request)
    {
        CollectionName(request.CollectionName);
        if (request.HasTimeout) AtLeast(1, request.Timeout, "timeout");
        Hnsw(request.HnswConfig, "hnsw_config");
        Quantisation(request.QuantizationConfig?.Scalar);
    }

    public static void Search(QueryPoints request, string prefix = "")
    {
        CollectionName(request.CollectionName, prefix + "collection_name");
        FilterBody.Check(request.Filter, prefix + "filter");
        Search(request.Params, prefix + "params");
        foreach (var (i, prefetch) in request.Prefetch.Index()) Search(prefetch, $"{prefix}prefetch[{i}]");
        if (request.HasLimit) AtLeast(1, request.Limit, prefix + "limit");
        if (request.HasTimeout) AtLeast(1, request.Timeout, prefix + "timeout");
    }

    private static void Search(PrefetchQuery request, string field)
    {
        foreach (var (i, prefetch) in request.Prefetch.Index()) Search(prefetch, $"{field}.prefetch[{i}]");
        FilterBody.Check(request.Filter, field + ".filter");
        Search(request.Params, field + ".params");
        if (request.HasLimit) AtLeast(1, request.Limit, field + ".limit");
    }

    private static void Search(SearchParams? parameters, string field)
    {
        if (parameters is null) return;
        if (parameters.HasHnswEf) AtLeast(1, parameters.HnswEf, field + ".hnsw_ef");
        if (parameters.Quantization is { HasOversampling: true, Oversampling: < 1 } quantisation)
            throw Refusal.Body(field + ".quantization.oversampling", FormattableString.Invariant($"value {quantisation.Oversampling} invalid, must be 1.0 or larger"));
    }

    private static void Hnsw(HnswConfigDiff? hnsw, string field)
    {
        if (hnsw is { HasEfConstruct: true }) AtLeast(4, hnsw.EfConstruct, field + ".ef_construct");
    }

    private static void Quantisation(ScalarQuantization? scalar)
    {
        if (scalar is null) return;
        if (scalar is { HasQuantile: true, Quantile: < 0.5f or > 1 })
            throw Refusal.Body("quantization_config.quantization.quantile", FormattableString.Invariant($"value {(double)scalar.Quantile} invalid, must be from 0.5 to 1.0"));
        if (scalar.Type == QuantizationType.UnknownQuantization) throw Refusal.Invalid("Unknown quantization type");
    }

    private static void Vectors(VectorParams parameters)
    {
        if (parameters.Size is 0 or > 65536) throw Refusal.Body("vectors_config.config.size", $"value {parameters.Size} invalid, must be from 1 to 65536");
        Hnsw(parameters.HnswConfig, "vectors_config.config.hnsw_config");
        if (parameters.Distance == Distance.UnknownDistance) throw Refusal.Invalid("Malformed distance parameter: UnknownDistance");
    }
}
