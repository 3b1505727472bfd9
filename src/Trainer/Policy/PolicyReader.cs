using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace BeeFormer.Streaming.Trainer;

/// <summary>
/// Reads a policy file: either a flat mapping of the policy's names, or the nested form
/// <c>policy_configs: {embedding_policy | scoring_policy: {policy_type: beeformer, …}}</c>. Where both nested policies are given they must not contradict each other.
/// What a key may hold stands in <see cref="PolicyKey"/>.
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

        private TrainingPolicy Set(TrainingPolicy policy, string name, YamlNode key, YamlNode value) =>
            PolicyKey.All.TryGetValue(name, out PolicyKey? known) ? known.Set(policy, new PolicyValue(file, name, value)) : throw Error(key, $"unknown key '{name}'");

        private YamlMappingNode Mapping(YamlNode node, string expected) => node as YamlMappingNode ?? throw Error(node, $"expected {expected}");

        private string Text(YamlNode node) => node is YamlScalarNode scalar ? scalar.Value ?? "" : throw Error(node, "expected a single value");

        private string[] Texts(YamlNode node) => node is YamlSequenceNode list ? [.. list.Children.Select(Text)] : throw Error(node, "expected a list of texts");

        private InvalidDataException Error(YamlNode node, string message) => new($"{file}({node.Start.Line},{node.Start.Column}): {message}.");
    }
}
