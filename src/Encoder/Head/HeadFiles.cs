using System.Text.Json;
using System.Text.Json.Nodes;

namespace BeeFormer.Streaming.Encoder;

/// <summary>
/// A head inside the folder of its encoder:
/// <list type="bullet">
/// <item><c>N_Dense/</c> (<c>config.json</c>, <c>model.safetensors</c> with <c>linear.weight</c> [D, d] = Wᵀ): a sentence-transformers Dense module without bias and activation, and <c>M_Normalize</c> after it;
/// both are appended to <c>modules.json</c>, so Python's SentenceTransformer opens the folder and gives norm(e·W).</item>
/// <item><c>head/head.json</c>: <c>format</c> 3 (still read: 2, without attributes, and 1, without pairs), <c>word_rule</c>, <c>encoder_dimension</c>, <c>dimension</c>, <c>seed</c>, <c>alpha</c>, <c>min_texts</c>, <c>max_words</c>, <c>pairs</c>, <c>attributes</c>,
/// <c>dense</c> and <c>normalize</c> (paths of the two modules) and <c>words</c> in ordinal order, pairs with a space between.</item>
/// <item><c>head/head.safetensors</c>: <c>word_rows</c> F32 [words, D] = B and <c>idf</c> F32 [words].</item>
/// </list>
/// </summary>
internal static class HeadFiles
{
    internal const string Folder = "head";
    private const int Format = 3, WithoutAttributes = 2, WithoutPairs = 1;
    private const string OlderTypes = "sentence_transformers.models.", NewerTypes = "sentence_transformers.base.modules.";

    /// <param name="Modules">Paths in <c>modules.json</c> that are the head's, not the encoder's.</param>
    internal sealed record Found(JsonFile Json, string Dense, IReadOnlySet<string> Modules);

    /// <returns>Null when the folder holds no head.</returns>
    internal static Found? Find(string folder)
    {
        if (JsonFile.TryRead(Path.Combine(folder, Folder, "head.json")) is not { } json) return null;
        if (json.Int(json.Root, "format") is not (Format or WithoutAttributes or WithoutPairs)) throw json.Bad($"'format' is {json.Int(json.Root, "format")}; this program reads {WithoutPairs} to {Format}");
        string dense = ModulePath("dense");
        return new Found(json, dense, new HashSet<string> { dense, ModulePath("normalize") });

        // A name inside the folder and nothing else: the file may come from anywhere.
        string ModulePath(string field)
        {
            string path = json.Text(json.Root, field);
            return path.Length is > 0 and <= 100 && path.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') ? path : throw json.Bad($"'{field}' must be the name of a folder beside 'head'");
        }
    }

    internal static void Write(Head head, string folder)
    {
        Directory.CreateDirectory(Path.Combine(folder, Folder));
        string modulesFile = Path.Combine(folder, ModuleEntry.FileName);
        IReadOnlyList<ModuleEntry> modules = File.Exists(modulesFile) ? ModuleEntry.Read(folder) : [];
        // Each version of sentence-transformers writes the class names of its own; version 6 also says between which values a module stands.
        bool newer = modules.Count > 0 && modules[0].Type.StartsWith(NewerTypes, StringComparison.Ordinal);
        string dense = $"{modules.Count}_Dense", normalize = $"{modules.Count + 1}_Normalize";

        Directory.CreateDirectory(Path.Combine(folder, dense));
        Directory.CreateDirectory(Path.Combine(folder, normalize));
        SafetensorsWriter.Write(Path.Combine(folder, dense, "model.safetensors"),
            [SafetensorsTensor.Of("linear.weight", Transpose(head.Projection.Span, head.EncoderDimension, head.Dimension), head.Dimension, head.EncoderDimension)],
            new Dictionary<string, string> { ["format"] = "pt" });
        var linear = new JsonObject
        {
            ["in_features"] = head.EncoderDimension, ["out_features"] = head.Dimension, ["bias"] = false, ["activation_function"] = "torch.nn.modules.linear.Identity",
        };
        if (newer)
        {
            WriteJson(Path.Combine(folder, normalize, EncoderFolder.ConfigFile), OnEmbeddings([]));
            OnEmbeddings(linear);
        }
        WriteJson(Path.Combine(folder, dense, EncoderFolder.ConfigFile), linear);
        SafetensorsWriter.Write(Path.Combine(folder, Folder, "head.safetensors"),
        [
            SafetensorsTensor.Of("word_rows", head.WordRows.ToArray(), head.Vocabulary.Words.Count, head.Dimension),
            SafetensorsTensor.Of("idf", [.. head.Vocabulary.Idf], head.Vocabulary.Words.Count),
        ]);
        WriteJson(Path.Combine(folder, Folder, "head.json"), new JsonObject
        {
            ["format"] = Format, ["word_rule"] = Words.Rule, ["encoder_dimension"] = head.EncoderDimension, ["dimension"] = head.Dimension, ["seed"] = head.Shape.Seed,
            ["alpha"] = head.Shape.Alpha, ["min_texts"] = head.Shape.MinTexts, ["max_words"] = head.Shape.MaxWords, ["pairs"] = head.Shape.Pairs, ["attributes"] = head.Shape.Attributes, ["dense"] = dense, ["normalize"] = normalize,
            ["words"] = new JsonArray([.. head.Vocabulary.Words.Select(word => (JsonNode)word)]),
        });
        if (modules.Count == 0) return; // a head on its own
        byte[] list = File.ReadAllBytes(modulesFile);
        list = JsonText.WithElement(list, Module(modules.Count, dense, newer));
        list = JsonText.WithElement(list, Module(modules.Count + 1, normalize, newer));
        DurableFiles.Rewrite(modulesFile, list);
    }

    private static JsonObject OnEmbeddings(JsonObject module)
    {
        module["module_input_name"] = "sentence_embedding";
        module["module_output_name"] = "sentence_embedding";
        return module;
    }

    private static string Module(int index, string path, bool newer)
    {
        string kind = path[(path.IndexOf('_', StringComparison.Ordinal) + 1)..];
#pragma warning disable CA1308 // Python's modules are named in lower case
        string type = newer ? $"{NewerTypes}{kind.ToLowerInvariant()}.{kind}" : OlderTypes + kind;
#pragma warning restore CA1308
        return new JsonObject { ["idx"] = index, ["name"] = $"{index}", ["path"] = path, ["type"] = type }.ToJsonString(s_indented);
    }

    internal static Head Read(string folder)
    {
        var found = Find(folder) ?? throw new InvalidDataException($"{Path.Combine(folder, Folder, "head.json")} is missing; expected a folder with a head.");
        var json = found.Json;
        if (json.Text(json.Root, "word_rule") != Words.Rule) throw json.Bad($"'word_rule' is '{json.Text(json.Root, "word_rule")}'; this program finds words by '{Words.Rule}'");
        if (!json.Field(json.Root, "alpha", JsonValueKind.Number).TryGetSingle(out float alpha)) throw json.Bad("'alpha' must be a number");
        var shape = new HeadShape(json.Int(json.Root, "encoder_dimension"), json.Int(json.Root, "dimension"), json.Int(json.Root, "seed", int.MinValue), alpha,
            json.Int(json.Root, "min_texts"), json.Int(json.Root, "max_words", 0), json.Bool(json.Root, "pairs", otherwise: false), json.Bool(json.Root, "attributes", otherwise: false));
        try
        {
            shape.Check();
        }
        catch (ArgumentException e)
        {
            throw json.Bad(e.Message);
        }
        string[] words = [.. json.Field(json.Root, "words", JsonValueKind.Array).EnumerateArray().Select(word => word.ValueKind == JsonValueKind.String ? word.GetString()! : throw json.Bad("'words' must be strings"))];
        for (int n = 1; n < words.Length; n++)
            if (string.CompareOrdinal(words[n - 1], words[n]) >= 0) throw json.Bad($"'words' must be in ordinal order without repetition; number {n} is not");

        float[] transposed = Floats(Path.Combine(folder, found.Dense, "model.safetensors"), "linear.weight", shape.Dimension, shape.EncoderDimension);
        string weights = Path.Combine(folder, Folder, "head.safetensors");
        float[] rows = Floats(weights, "word_rows", words.Length, shape.Dimension);
        float[] idf = Floats(weights, "idf", words.Length);
        return new Head(shape, new Vocabulary(words, idf), Transpose(transposed, shape.Dimension, shape.EncoderDimension), rows);
    }

    private static float[] Floats(string path, string name, params long[] shape)
    {
        using var file = SafetensorsFile.Open(path);
        if (!file[name].Shape.SequenceEqual(shape)) throw new InvalidDataException($"{path}: tensor '{name}' has the shape [{string.Join(", ", file[name].Shape)}]; head.json asks for [{string.Join(", ", shape)}].");
        float[] values = file.ReadFloats(name);
        return Array.TrueForAll(values, float.IsFinite) ? values : throw new InvalidDataException($"{path}: tensor '{name}' holds a value that is not finite.");
    }

    private static float[] Transpose(ReadOnlySpan<float> matrix, int rows, int columns)
    {
        var transposed = new float[matrix.Length];
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++) transposed[j * rows + i] = matrix[i * columns + j];
        return transposed;
    }

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    private static void WriteJson(string path, JsonNode node) => DurableFiles.Rewrite(path, stream => JsonSerializer.Serialize(stream, node, s_indented));
}
