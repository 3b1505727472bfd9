using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// Reads a policy file: either a flat mapping of the policy's names, or the nested form
/// <c>policy_configs: {embedding_policy | scoring_policy: {policy_type: beeformer, …}}</c>. Where both nested policies are given they must not contradict each other.
/// </summary>
internal static class PolicyReader
{
    private const long MaxBytes = 1 << 20;

    public static TrainingPolicy Read(string file)
    {
        if (!File.Exists(file)) throw new InvalidDataException($"{file}: no such policy file.");
        if (new FileInfo(file).Length > MaxBytes) throw new InvalidDataException($"{file}: expected a policy file of at most {MaxBytes:N0} bytes.");
        using StreamReader reader = File.OpenText(file);
        return Read(reader, file);
    }

    public static TrainingPolicy Read(TextReader text, string file)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(text);
        }
        catch (YamlException exception)
        {
            throw new InvalidDataException($"{file}({exception.Start.Line},{exception.Start.Column}): not YAML: {exception.Message}", exception);
        }
        if (stream.Documents.Count == 0) return new TrainingPolicy();
        if (stream.Documents.Count > 1) throw new InvalidDataException($"{file}: expected one YAML document, found {stream.Documents.Count}.");
        return new Reading(file).Policy(stream.Documents[0].RootNode);
    }

    private sealed class Reading(string file)
    {
        private readonly Dictionary<string, (string Text, YamlNode Node)> _seen = [];

        public TrainingPolicy Policy(YamlNode root)
        {
            YamlMappingNode mapping = Mapping(root, "a mapping of policy names to values");
            var policy = new TrainingPolicy();
            if (!mapping.Children.ContainsKey("policy_configs")) return Settings(mapping, policy);

            foreach ((YamlNode key, YamlNode value) in mapping)
            {
                if (Text(key) != "policy_configs") throw Error(key, $"unknown key '{Text(key)}'; beside policy_configs nothing is expected");
                foreach ((YamlNode name, YamlNode nested) in Mapping(value, "embedding_policy or scoring_policy"))
                {
                    if (Text(name) is not ("embedding_policy" or "scoring_policy"))
                        throw Error(name, $"unknown key '{Text(name)}'; expected embedding_policy or scoring_policy");
                    policy = Settings(Mapping(nested, "a mapping with policy_type: beeformer"), policy);
                }
            }
            return policy;
        }

        private TrainingPolicy Settings(YamlMappingNode mapping, TrainingPolicy policy)
        {
            foreach ((YamlNode key, YamlNode value) in mapping)
            {
                string name = Text(key);
                string given = value is YamlSequenceNode ? string.Join('\n', Texts(value)) : Text(value);
                if (_seen.TryGetValue(name, out var before) && before.Text != given)
                    throw Error(value, $"{name} is '{given}' here and '{before.Text}' in line {before.Node.Start.Line}; the policies must agree");
                policy = Set(policy, name, key, value);
                _seen[name] = (given, value);
            }
            return policy;
        }

        private TrainingPolicy Set(TrainingPolicy policy, string name, YamlNode key, YamlNode value) => name switch
        {
            "policy_type" => Text(value) == "beeformer" ? policy : throw Error(value, $"policy_type is '{Text(value)}'; expected beeformer"),
            "device" => policy with { Device = DeviceName(name, value) },
            "devices" => policy with { Devices = Devices(name, value) },
            "use_images" => policy with { UseImages = Flag(name, value) },
            "train_distributed" => policy with { TrainDistributed = Flag(name, value) },
            "seed" => policy with { Seed = Integer(name, value, 0, int.MaxValue) },
            "head" => policy with { Head = Choice(name, value, ("words", HeadKind.Words), ("none", HeadKind.None)) },
            "head_steps" => policy with { HeadSteps = Integer(name, value, 1, 1_000_000) },
            "head_warm_steps" => policy with { HeadWarmSteps = Integer(name, value, 1, 1_000_000) },
            "head_lr" => policy with { HeadLr = Number(name, value, 0, 1) },
            "head_word_lr" => policy with { HeadWordLr = Number(name, value, 0, 1) },
            "head_dropout" => policy with { HeadDropout = Number(name, value, 0, 0.95) },
            "head_pairs" => policy with { HeadPairs = Flag(name, value) },
            "head_attributes" => policy with { HeadAttributes = Flag(name, value) },
            "head_output" => policy with { HeadOutput = Integer(name, value, 2, 1_000_000) },
            "lr" => policy with { Lr = Number(name, value, 0, 1) },
            "use_scheduler" => policy with { UseScheduler = Flag(name, value) },
            "batching" => policy with { Batching = Choice(name, value, ("items", Batching.Items), ("users", Batching.Users)) },
            "encoder_steps" => policy with { EncoderSteps = Integer(name, value, 0, 10_000_000) },
            "epochs" => policy with { Epochs = Integer(name, value, 1, 10_000) },
            "max_output" => policy with { MaxOutput = Integer(name, value, 1, 1_000_000) },
            "batch_size" => policy with { BatchSize = Integer(name, value, 1, ColumnSampler.MaxRows) },
            "top_k" => policy with { TopK = Integer(name, value, 0, 1_000_000) },
            "embedder_batch_size" => policy with { EmbedderBatchSize = Integer(name, value, 1, 65_536) },
            "graph_memory_mb" => policy with { GraphMemoryMb = Integer(name, value, 0, 1_048_576) },
            "max_memory" => policy with { MaxMemory = Integer(name, value, 1, 1_048_576) },
            "frozen_layers" => policy with { FrozenLayers = Number(name, value, 0, 1) },
            "frozen_cache_mb" => policy with { FrozenCacheMb = Integer(name, value, 0, 16_777_216) },
            "clip_norm" => policy with { ClipNorm = Number(name, value, 0, 1e9) },
            "arithmetic" => policy with { Arithmetic = Choice(name, value, ("auto", TrainingArithmetic.Auto), ("float32", TrainingArithmetic.Float32), ("bfloat16", TrainingArithmetic.BFloat16)) },
            "max_duration" => policy with { MaxDuration = Duration(name, value) },
            "warm_start" => policy with { WarmStart = Choice(name, value, ("incumbent", WarmStart.Incumbent), ("base", WarmStart.Base), ("both", WarmStart.Both)) },
            "replay_share" => policy with { ReplayShare = Number(name, value, 0, 0.9) },
            "weight_averaging" => policy with { WeightAveraging = Number(name, value, 0, 0.95) },
            "validation_share" => policy with { ValidationShare = Number(name, value, 0, 0.5) },
            "validate_every" => policy with { ValidateEvery = Integer(name, value, 1, 1_000_000) },
            "patience" => policy with { Patience = Integer(name, value, 1, 1_000_000) },
            "checkpoint_every" => policy with { CheckpointEvery = Text(value) == "0" ? TimeSpan.Zero : Duration(name, value) },
            "embedder" => policy with { Embedder = Text(value).Length > 0 ? Text(value) : throw Error(value, "embedder is empty; expected the folder of a sentence transformer") },
            "max_seq_length" => policy with { MaxSeqLength = Integer(name, value, 3, 65_536) },
            "holdout_share" => policy with { HoldoutShare = Number(name, value, 0.01, 0.5) },
            "min_holdout_users" => policy with { MinHoldoutUsers = Integer(name, value, 1, 1_000_000) },
            "metric" => policy with { Metric = Choice(name, value, ("ndcg@100", GateMetric.Ndcg100), ("recall@20", GateMetric.Recall20), ("recall@50", GateMetric.Recall50)) },
            "cold_weight" => policy with { ColdWeight = Number(name, value, 0, 1) },
            "min_probability" => policy with { MinProbability = Number(name, value, 0.5, 1) },
            "tolerance" => policy with { Tolerance = Number(name, value, 0, 1) },
            "coverage_tolerance" => policy with { CoverageTolerance = Number(name, value, 0, 1) },
            "max_mean_cosine" => policy with { MaxMeanCosine = Number(name, value, 0, 1) },
            "min_effective_rank" => policy with { MinEffectiveRank = Number(name, value, 1, 1_000_000) },
            "forgetting_tolerance" => policy with { ForgettingTolerance = Number(name, value, 0, 1) },
            "canary_texts" => policy with { CanaryTexts = Texts(value) },
            "min_canaries_found" => policy with { MinCanariesFound = Number(name, value, 0, 1) },
            "tfidf_max_share" => policy with { TfIdfMaxShare = Number(name, value, 0, 1) },
            "elsa_factors" => policy with { ElsaFactors = Integer(name, value, 1, 4096) },
            "elsa_epochs" => policy with { ElsaEpochs = Integer(name, value, 0, 1_000) },
            "elsa_max_items" => policy with { ElsaMaxItems = Integer(name, value, 2, 200_000) },
            _ => throw Error(key, $"unknown key '{name}'"),
        };

        private int Integer(string name, YamlNode node, int min, int max) =>
            int.TryParse(Text(node), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= min && value <= max
                ? value
                : throw Error(node, $"{name} is '{Text(node)}'; expected a whole number from {min} to {max}");

        private double Number(string name, YamlNode node, double min, double max) =>
            double.TryParse(Text(node), NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= min && value <= max
                ? value
                : throw Error(node, FormattableString.Invariant($"{name} is '{Text(node)}'; expected a number from {min} to {max}"));

        /// <summary>Whether this machine has it is asked when it is used.</summary>
        private string DeviceName(string name, YamlNode node) =>
            TrainingDevices.IsName(Text(node)) ? Text(node) : throw Error(node, $"{name} is '{Text(node)}'; expected cpu, cuda or cuda:N");

        private string[] Devices(string name, YamlNode node) => node is YamlSequenceNode { Children.Count: >= 1 and <= 64 } list
            ? [.. list.Children.Select(child => DeviceName(name, child))]
            : throw Error(node, $"{name}: expected a list of 1 to 64 devices, such as [cuda:0, cuda:1]");

        private bool Flag(string name, YamlNode node) => Text(node) switch
        {
            "true" or "True" => true,
            "false" or "False" => false,
            string other => throw Error(node, $"{name} is '{other}'; expected true or false"),
        };

        private T Choice<T>(string name, YamlNode node, params ReadOnlySpan<(string Name, T Value)> choices)
        {
            var names = new List<string>();
            foreach ((string choice, T value) in choices)
            {
                if (choice == Text(node)) return value;
                names.Add(choice);
            }
            throw Error(node, $"{name} is '{Text(node)}'; expected {string.Join(" or ", names)}");
        }

        /// <summary>Seconds as a number, or hh:mm:ss.</summary>
        private TimeSpan Duration(string name, YamlNode node)
        {
            string text = Text(node);
            if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && seconds > 0 && seconds <= 31_536_000) return TimeSpan.FromSeconds(seconds);
            if (text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan value) && value > TimeSpan.Zero) return value;
            throw Error(node, $"{name} is '{text}'; expected seconds (90) or hours, minutes, seconds (00:01:30), more than zero");
        }

        private YamlMappingNode Mapping(YamlNode node, string expected) => node as YamlMappingNode ?? throw Error(node, $"expected {expected}");

        private string Text(YamlNode node) => node is YamlScalarNode scalar ? scalar.Value ?? "" : throw Error(node, "expected a single value");

        private string[] Texts(YamlNode node) => node is YamlSequenceNode list ? [.. list.Children.Select(Text)] : throw Error(node, "expected a list of texts");

        private InvalidDataException Error(YamlNode node, string message) => new($"{file}({node.Start.Line},{node.Start.Column}): {message}.");
    }
}
