using System.Text.Json.Nodes;

namespace BeeFormer.Streaming.Trainer;

/// <summary>A key of a policy file: what it may hold, for the reader and for the schema alike.</summary>
/// <param name="Schema">JSON schema of the value, with the default.</param>
/// <param name="Set">The policy with this value; refuses what the schema refuses.</param>
internal sealed record PolicyKey(string Name, JsonObject Schema, Func<TrainingPolicy, PolicyValue, TrainingPolicy> Set)
{
    /// <summary>Longest duration given as a number, in seconds: a year.</summary>
    public const double MaxSeconds = 31_536_000;

    /// <summary>[days.]hours:minutes[:seconds]; <see cref="TimeSpan"/> alone would take 25:00:00 for 25 days.</summary>
    public const string DurationPattern = "^([0-9]{1,3}\\.)?([01]?[0-9]|2[0-3]):[0-5]?[0-9](:[0-5]?[0-9](\\.[0-9]{1,7})?)?$";

    private static readonly TrainingPolicy Default = new();

    /// <summary>Every key there is, by name.</summary>
    public static IReadOnlyDictionary<string, PolicyKey> All { get; } = new[]
    {
        Choice("policy_type", policy => policy.Type, (policy, value) => policy with { Type = value }, ("beeformer", PolicyType.Beeformer), ("sentence_transformer", PolicyType.SentenceTransformer), ("elsa", PolicyType.Elsa)),
        Texts("event_values", (policy, value) => policy with { EventValues = value }),
        new PolicyKey("device", Typed("string", Default.Device, ("pattern", DevicePattern)), (policy, value) => policy with { Device = value.Device }),
        new PolicyKey("devices", new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "string", ["pattern"] = DevicePattern }, ["minItems"] = 1, ["maxItems"] = 64 }, (policy, value) => policy with { Devices = value.Devices }),
        Flag("use_images", policy => policy.UseImages, (policy, value) => policy with { UseImages = value }),
        Flag("train_distributed", policy => policy.TrainDistributed, (policy, value) => policy with { TrainDistributed = value }),
        Integer("seed", 0, int.MaxValue, policy => policy.Seed, (policy, value) => policy with { Seed = value }),
        Choice("head", policy => policy.Head, (policy, value) => policy with { Head = value }, ("words", HeadKind.Words), ("none", HeadKind.None)),
        Integer("head_steps", 1, 1_000_000, policy => policy.HeadSteps, (policy, value) => policy with { HeadSteps = value }),
        Integer("head_warm_steps", 1, 1_000_000, policy => policy.HeadWarmSteps, (policy, value) => policy with { HeadWarmSteps = value }),
        Number("head_lr", 0, 1, policy => policy.HeadLr, (policy, value) => policy with { HeadLr = value }),
        Number("head_word_lr", 0, 1, policy => policy.HeadWordLr, (policy, value) => policy with { HeadWordLr = value }),
        Number("head_dropout", 0, 0.95, policy => policy.HeadDropout, (policy, value) => policy with { HeadDropout = value }),
        Flag("head_pairs", policy => policy.HeadPairs, (policy, value) => policy with { HeadPairs = value }),
        Flag("head_attributes", policy => policy.HeadAttributes, (policy, value) => policy with { HeadAttributes = value }),
        Integer("head_output", 2, 1_000_000, policy => policy.HeadOutput, (policy, value) => policy with { HeadOutput = value }),
        Number("lr", 0, 1, policy => policy.Lr, (policy, value) => policy with { Lr = value }),
        Flag("use_scheduler", policy => policy.UseScheduler, (policy, value) => policy with { UseScheduler = value }),
        Choice("batching", policy => policy.Batching, (policy, value) => policy with { Batching = value }, ("items", Batching.Items), ("users", Batching.Users)),
        Integer("encoder_steps", 0, 10_000_000, policy => policy.EncoderSteps, (policy, value) => policy with { EncoderSteps = value }),
        Integer("epochs", 1, 10_000, policy => policy.Epochs, (policy, value) => policy with { Epochs = value }),
        Integer("max_output", 1, 1_000_000, policy => policy.MaxOutput, (policy, value) => policy with { MaxOutput = value }),
        Integer("batch_size", 1, ColumnSampler.MaxRows, policy => policy.BatchSize, (policy, value) => policy with { BatchSize = value }),
        Integer("top_k", 0, 1_000_000, policy => policy.TopK, (policy, value) => policy with { TopK = value }),
        Integer("embedder_batch_size", 1, 65_536, policy => policy.EmbedderBatchSize, (policy, value) => policy with { EmbedderBatchSize = value }),
        Integer("graph_memory_mb", 0, 1_048_576, policy => policy.GraphMemoryMb, (policy, value) => policy with { GraphMemoryMb = value }),
        Integer("max_memory", 1, 1_048_576, policy => policy.MaxMemory, (policy, value) => policy with { MaxMemory = value }),
        Number("frozen_layers", 0, 1, policy => policy.FrozenLayers, (policy, value) => policy with { FrozenLayers = value }),
        Integer("frozen_cache_mb", 0, 16_777_216, policy => policy.FrozenCacheMb, (policy, value) => policy with { FrozenCacheMb = value }),
        Number("clip_norm", 0, 1e9, policy => policy.ClipNorm, (policy, value) => policy with { ClipNorm = value }),
        Choice("arithmetic", policy => policy.Arithmetic, (policy, value) => policy with { Arithmetic = value },
            ("auto", TrainingArithmetic.Auto), ("float32", TrainingArithmetic.Float32), ("bfloat16", TrainingArithmetic.BFloat16)),
        Duration("max_duration", mayBeZero: false, policy => policy.MaxDuration, (policy, value) => policy with { MaxDuration = value }),
        Choice("warm_start", policy => policy.WarmStart, (policy, value) => policy with { WarmStart = value }, ("incumbent", WarmStart.Incumbent), ("base", WarmStart.Base), ("both", WarmStart.Both)),
        Number("replay_share", 0, 0.9, policy => policy.ReplayShare, (policy, value) => policy with { ReplayShare = value }),
        Number("weight_averaging", 0, 0.95, policy => policy.WeightAveraging, (policy, value) => policy with { WeightAveraging = value }),
        Number("validation_share", 0, 0.5, policy => policy.ValidationShare, (policy, value) => policy with { ValidationShare = value }),
        Integer("validate_every", 1, 1_000_000, policy => policy.ValidateEvery, (policy, value) => policy with { ValidateEvery = value }),
        Integer("patience", 1, 1_000_000, policy => policy.Patience, (policy, value) => policy with { Patience = value }),
        Duration("checkpoint_every", mayBeZero: true, policy => policy.CheckpointEvery, (policy, value) => policy with { CheckpointEvery = value }),
        new PolicyKey("embedder", Typed("string", null, ("minLength", 1)), (policy, value) => policy with { Embedder = value.Name }),
        Integer("max_seq_length", 3, 65_536, policy => policy.MaxSeqLength, (policy, value) => policy with { MaxSeqLength = value }),
        Number("holdout_share", 0.01, 0.5, policy => policy.HoldoutShare, (policy, value) => policy with { HoldoutShare = value }),
        Integer("min_holdout_users", 1, 1_000_000, policy => policy.MinHoldoutUsers, (policy, value) => policy with { MinHoldoutUsers = value }),
        Choice("metric", policy => policy.Metric, (policy, value) => policy with { Metric = value }, ("ndcg@100", GateMetric.Ndcg100), ("recall@20", GateMetric.Recall20), ("recall@50", GateMetric.Recall50)),
        Number("cold_weight", 0, 1, policy => policy.ColdWeight, (policy, value) => policy with { ColdWeight = value }),
        Number("min_probability", 0.5, 1, policy => policy.MinProbability, (policy, value) => policy with { MinProbability = value }),
        Number("tolerance", 0, 1, policy => policy.Tolerance, (policy, value) => policy with { Tolerance = value }),
        Number("coverage_tolerance", 0, 1, policy => policy.CoverageTolerance, (policy, value) => policy with { CoverageTolerance = value }),
        Number("max_mean_cosine", 0, 1, policy => policy.MaxMeanCosine, (policy, value) => policy with { MaxMeanCosine = value }),
        Number("min_effective_rank", 1, 1_000_000, policy => policy.MinEffectiveRank, (policy, value) => policy with { MinEffectiveRank = value }),
        Number("forgetting_tolerance", 0, 1, policy => policy.ForgettingTolerance, (policy, value) => policy with { ForgettingTolerance = value }),
        Texts("canary_texts", (policy, value) => policy with { CanaryTexts = value }),
        Number("min_canaries_found", 0, 1, policy => policy.MinCanariesFound, (policy, value) => policy with { MinCanariesFound = value }),
        Number("tfidf_max_share", 0, 1, policy => policy.TfIdfMaxShare, (policy, value) => policy with { TfIdfMaxShare = value }),
        Integer("elsa_factors", 1, 4096, policy => policy.ElsaFactors, (policy, value) => policy with { ElsaFactors = value }),
        Integer("elsa_epochs", 0, 1_000, policy => policy.ElsaEpochs, (policy, value) => policy with { ElsaEpochs = value }),
        Integer("elsa_max_items", 2, 200_000, policy => policy.ElsaMaxItems, (policy, value) => policy with { ElsaMaxItems = value }),
    }.ToDictionary(key => key.Name);

    private const string DevicePattern = "^(cpu|cuda|cuda:[0-9]{1,9})$";

    private static PolicyKey Integer(string name, int min, int max, Func<TrainingPolicy, int?> get, Func<TrainingPolicy, int, TrainingPolicy> set) =>
        new(name, Typed("integer", get(Default), ("minimum", min), ("maximum", max)), (policy, value) => set(policy, value.Integer(min, max)));

    private static PolicyKey Number(string name, double min, double max, Func<TrainingPolicy, double> get, Func<TrainingPolicy, double, TrainingPolicy> set) =>
        new(name, Typed("number", get(Default), ("minimum", min), ("maximum", max)), (policy, value) => set(policy, value.Number(min, max)));

    private static PolicyKey Flag(string name, Func<TrainingPolicy, bool> get, Func<TrainingPolicy, bool, TrainingPolicy> set) =>
        new(name, Typed("boolean", get(Default)), (policy, value) => set(policy, value.Flag));

    private static PolicyKey Texts(string name, Func<TrainingPolicy, string[], TrainingPolicy> set) =>
        new(name, new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "string" } }, (policy, value) => set(policy, value.Texts));

    private static PolicyKey Choice<T>(string name, Func<TrainingPolicy, T> get, Func<TrainingPolicy, T, TrainingPolicy> set, params (string Name, T Value)[] choices) => new(
        name,
        new JsonObject { ["enum"] = new JsonArray([.. choices.Select(choice => JsonValue.Create(choice.Name))]), ["default"] = choices.Single(choice => Equals(choice.Value, get(Default))).Name },
        (policy, value) => set(policy, value.Choice(choices)));

    private static PolicyKey Duration(string name, bool mayBeZero, Func<TrainingPolicy, TimeSpan?> get, Func<TrainingPolicy, TimeSpan, TrainingPolicy> set)
    {
        var schema = new JsonObject
        {
            ["anyOf"] = new JsonArray(
                new JsonObject { ["type"] = "number", [mayBeZero ? "minimum" : "exclusiveMinimum"] = 0, ["maximum"] = MaxSeconds },
                new JsonObject { ["type"] = "string", ["pattern"] = DurationPattern, ["not"] = new JsonObject { ["pattern"] = "^[0:.]+$" } }),
        };
        if (get(Default) is { } standard) schema["default"] = standard.TotalSeconds;
        return new(name, schema, (policy, value) => set(policy, value.Duration(mayBeZero)));
    }

    private static JsonObject Typed(string type, JsonNode? standard, params (string Name, JsonNode Value)[] bounds)
    {
        var schema = new JsonObject { ["type"] = type };
        foreach ((string name, JsonNode value) in bounds) schema[name] = value;
        if (standard is not null) schema["default"] = standard;
        return schema;
    }
}
