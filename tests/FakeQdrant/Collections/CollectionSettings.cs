namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>The configuration that a collection reports: the server's defaults, and what was asked for.</summary>
internal static class CollectionSettings
{
    public static CollectionConfig Of(CreateCollection request)
    {
        var config = new CollectionConfig
        {
            Params = new CollectionParams
            {
                ShardNumber = request.HasShardNumber ? request.ShardNumber : 1,
                OnDiskPayload = !request.HasOnDiskPayload || request.OnDiskPayload,
                VectorsConfig = request.VectorsConfig is { ConfigCase: not VectorsConfig.ConfigOneofCase.None } given ? given : new VectorsConfig { ParamsMap = new VectorParamsMap() },
                ReplicationFactor = request.HasReplicationFactor ? request.ReplicationFactor : 1,
                WriteConsistencyFactor = request.HasWriteConsistencyFactor ? request.WriteConsistencyFactor : 1,
            },
            HnswConfig = new HnswConfigDiff { M = 16, EfConstruct = 100, FullScanThreshold = 10000, MaxIndexingThreads = 0, OnDisk = false },
            OptimizerConfig = new OptimizersConfigDiff
            {
                DeletedThreshold = 0.2, VacuumMinVectorNumber = 1000, DefaultSegmentNumber = 0, IndexingThreshold = 10000, FlushIntervalSec = 5,
                MaxOptimizationThreads = new MaxOptimizationThreads { Setting = MaxOptimizationThreads.Types.Setting.Auto },
            },
            WalConfig = new WalConfigDiff { WalCapacityMb = 32, WalSegmentsAhead = 0 },
            QuantizationConfig = request.QuantizationConfig,
            StrictModeConfig = request.StrictModeConfig,
            Metadata = { PayloadValues.Stored(request.Metadata) },
        };
        Merge(config.HnswConfig, request.HnswConfig);
        if (request.WalConfig is { } wal) config.WalConfig.MergeFrom(wal);
        if (request.OptimizersConfig is { } optimizers) config.OptimizerConfig.MergeFrom(optimizers);
        return config;
    }

    /// <summary>The configuration after an update; what it does not name stays.</summary>
    public static CollectionConfig Updated(CollectionConfig before, UpdateCollection request)
    {
        var config = before.Clone();
        Merge(config.HnswConfig, request.HnswConfig);
        if (request.OptimizersConfig is { } optimizers) config.OptimizerConfig.MergeFrom(optimizers);
        if (request.StrictModeConfig is { } strict) (config.StrictModeConfig ??= new StrictModeConfig()).MergeFrom(strict);
        if (request.QuantizationConfig is { } quantisation) config.QuantizationConfig = quantisation.Scalar is { } scalar ? new QuantizationConfig { Scalar = scalar } : null;
        foreach (var (key, value) in PayloadValues.Stored(request.Metadata)) config.Metadata[key] = value;
        return config;
    }

    private static void Merge(HnswConfigDiff target, HnswConfigDiff? asked)
    {
        if (asked is not null) target.MergeFrom(asked);
    }
}
