using System.Text;
using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Encoder.Tests;

/// <summary>What is loaded and saved again is the folder that it was: every file, byte for byte, but for what truly changed.</summary>
public class FolderRoundTripTests
{
    public static TheoryData<string> Models => [.. Golden.Folders.Where(f => Directory.Exists(Path.Combine(f, "model"))).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];

    private static string Model(string name) => Path.Combine(Golden.Encoder, name, "model");
    private static string Tiny(string name = "tiny-bert") => Path.Combine(Golden.Repository, "tests", "golden", "encoder", name, "model");

    private static SentenceEncoder LoadOrSkip(string folder)
    {
        if (!File.Exists(Path.Combine(folder, "modules.json"))) Assert.Skip($"{folder} is no sentence-transformers folder.");
        try
        {
            return SentenceEncoder.Load(folder);
        }
        catch (InvalidDataException e) when (e.Message.Contains("not supported", StringComparison.Ordinal))
        {
            Assert.Skip(e.Message);
            throw;
        }
    }

    private static string[] Files(string folder) => [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f)).Order(StringComparer.Ordinal)];

    /// <param name="but">Files that differ.</param>
    private static void AssertSame(string expected, string actual, params string[] but)
    {
        Assert.Equal(Files(expected), Files(actual));
        foreach (string file in Files(expected).Except(but)) Assert.True(File.ReadAllBytes(Path.Combine(expected, file)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(actual, file))), $"{file} differs");
    }

    private static void Edit(string file, string old, string changed)
    {
        string text = File.ReadAllText(file);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(file, text.Replace(old, changed, StringComparison.Ordinal));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Models))]
    public void A_recorded_folder_comes_out_byte_for_byte(string model)
    {
        using var target = new TemporaryFolder();
        using (SentenceEncoder encoder = LoadOrSkip(Model(model))) encoder.Save(target.Path);
        AssertSame(Model(model), target.Path);
    }

    /// <summary>Whatever the architecture: half of the tensors are taken, as if a module used them.</summary>
    [Theory(SkipTestWithoutData = true), MemberData(nameof(Models))]
    public void Weights_of_the_reference_library_come_out_byte_for_byte(string model)
    {
        using var target = new TemporaryFolder();
        ModuleEntry module = new(0, "", "Transformer");
        using EncoderWeights weights = EncoderWeights.Open(Model(model), [module]);
        WeightFile file = Assert.Single(weights.Files);
        foreach (SafetensorsEntry entry in file.Entries.Where((_, n) => n % 2 == 0)) weights.Of(Model(model), module).Take(file.NameOf(entry), [.. entry.Shape]);
        weights.Complete();
        weights.Write(target.Path);
        using EncoderWeights clone = weights.Clone();
        clone.Complete();
        foreach (EncoderWeights each in (EncoderWeights[])[weights, clone])
        {
            each.Write(target.Path);
            Assert.Equal(File.ReadAllBytes(Path.Combine(Model(model), "model.safetensors")), File.ReadAllBytes(target.File("model.safetensors")));
        }
    }

    [Fact]
    public void The_real_model_comes_out_byte_for_byte()
    {
        using var target = new TemporaryFolder();
        string source = Golden.MiniLm();
        using (SentenceEncoder encoder = SentenceEncoder.Load(source)) encoder.Save(target.Path);
        AssertSame(source, target.Path);
    }

    [Fact]
    public void Int8_weights_come_out_as_float32_under_the_same_names()
    {
        using var target = new TemporaryFolder();
        using (SentenceEncoder encoder = SentenceEncoder.Load(SentenceEncoder.DefaultFolder)) encoder.Save(target.Path);
        AssertSame(SentenceEncoder.DefaultFolder, target.Path, "model.safetensors");
        using SafetensorsFile before = SafetensorsFile.Open(Path.Combine(SentenceEncoder.DefaultFolder, "model.safetensors")), after = SafetensorsFile.Open(target.File("model.safetensors"));
        Assert.Equal(before.Entries.Select(e => e.Name).Where(n => !n.EndsWith(".scale", StringComparison.Ordinal)).Order(StringComparer.Ordinal), after.Entries.Select(e => e.Name).Order(StringComparer.Ordinal));
        Assert.All(after.Entries, e => Assert.Equal(SafetensorsType.F32, e.Type));
        Assert.Equal("pt", after.Metadata["format"]);
    }

    [Theory]
    [InlineData(SafetensorsType.F16, "\"dtype\": \"float32\"", "\"dtype\": \"float16\"")]
    [InlineData(SafetensorsType.BF16, "\"dtype\": \"float32\"", "\"torch_dtype\": \"bfloat16\"")]
    public void Half_weights_come_out_as_float32_and_the_configuration_says_so(SafetensorsType type, string old, string stated)
    {
        using TemporaryFolder source = new(), target = new();
        EncoderFolderTests.CopyTiny(source.Path, "tiny-bert");
        Edit(source.File("config.json"), old, stated);
        Rewrite(source.File("model.safetensors"), t => t with { Type = type, Write = stream => stream.Write(new byte[t.ByteCount / 2]) });
        using (SentenceEncoder encoder = SentenceEncoder.Load(source.Path)) encoder.Save(target.Path);
        AssertSame(source.Path, target.Path, "model.safetensors", "config.json");
        Edit(source.File("config.json"), stated[(stated.LastIndexOf(' ') + 1)..], "\"float32\"");
        Assert.Equal(File.ReadAllText(source.File("config.json")), File.ReadAllText(target.File("config.json")));
        using SafetensorsFile after = SafetensorsFile.Open(target.File("model.safetensors"));
        Assert.Equal(SafetensorsType.F32, after["embeddings.word_embeddings.weight"].Type);
        Assert.Equal(type, after["pooler.dense.weight"].Type); // only carried
    }

    [Fact]
    public void Prefixes_and_tensors_of_other_tasks_are_carried_along()
    {
        using TemporaryFolder source = new(), target = new();
        EncoderFolderTests.CopyTiny(source.Path, "tiny-bert");
        Rewrite(source.File("model.safetensors"), t => t with { Name = "bert." + t.Name },
            SafetensorsTensor.Of("bert.embeddings.position_ids", SafetensorsType.I64, [1, 2], new byte[16]), SafetensorsTensor.Of("cls.predictions.bias", SafetensorsType.F16, [3], new byte[] { 1, 2, 3, 4, 5, 6 }),
            SafetensorsTensor.Of("cls.nothing", SafetensorsType.Bool, [0, 7], Array.Empty<byte>()), SafetensorsTensor.Of("logit_scale", [2.5f]));
        using (SentenceEncoder encoder = SentenceEncoder.Load(source.Path), plain = SentenceEncoder.Load(Tiny()))
        {
            Assert.Equal(plain.Fingerprint, encoder.Fingerprint);
            encoder.Save(target.Path);
        }
        AssertSame(source.Path, target.Path);
    }

    [Fact]
    public void Shards_come_out_as_the_same_shards()
    {
        using TemporaryFolder source = new(), target = new();
        EncoderFolderTests.CopyTiny(source.Path, "tiny-bert");
        string weights = source.File("model.safetensors");
        var map = new Dictionary<string, string>();
        using (SafetensorsFile file = SafetensorsFile.Open(weights))
        {
            for (int n = 0; n < 3; n++)
            {
                SafetensorsTensor[] shard = [.. file.Entries.Where((_, i) => i % 3 == n).Select(e => SafetensorsTensor.Of(e.Name, e.Type, e.Shape, file.Bytes(e).ToArray()))];
                string name = $"model-0000{n + 1}-of-00003.safetensors";
                SafetensorsWriter.Write(source.File(name), shard, file.Metadata);
                foreach (SafetensorsTensor tensor in shard) map[tensor.Name] = name;
            }
        }
        File.Delete(weights);
        File.WriteAllText(source.File("model.safetensors.index.json"), JsonSerializer.Serialize(new { metadata = new { total_size = 1 }, weight_map = map }));
        using (SentenceEncoder encoder = SentenceEncoder.Load(source.Path), plain = SentenceEncoder.Load(Tiny()))
        {
            Assert.Equal(plain.Fingerprint, encoder.Fingerprint);
            encoder.Save(target.Path);
        }
        AssertSame(source.Path, target.Path);

        Edit(source.File("model.safetensors.index.json"), "model-00002", "../model-00002");
        Assert.Contains("same folder", Assert.Throws<InvalidDataException>(() => SentenceEncoder.Load(source.Path).Dispose()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_in_another_format_are_refused_with_the_way_to_convert_them()
    {
        using var folder = new TemporaryFolder();
        EncoderFolderTests.CopyTiny(folder.Path, "tiny-bert");
        File.Move(folder.File("model.safetensors"), folder.File("pytorch_model.bin"));
        string message = Assert.Throws<InvalidDataException>(() => SentenceEncoder.Load(folder.Path).Dispose()).Message;
        Assert.Contains(folder.Path, message, StringComparison.Ordinal);
        Assert.Contains("safe_serialization=True", message, StringComparison.Ordinal);
    }

    [Theory, InlineData(20), InlineData(64)]
    public void Another_length_changes_one_number_of_the_newer_layout(int length)
    {
        using TemporaryFolder target = new(), expected = new();
        using (SentenceEncoder encoder = SentenceEncoder.Load(Tiny(), length)) encoder.Save(target.Path);
        EncoderFolderTests.CopyTiny(expected.Path, "tiny-bert");
        Edit(expected.File("tokenizer_config.json"), "\"model_max_length\": 48", $"\"model_max_length\": {length}");
        AssertSame(expected.Path, target.Path);
        using SentenceEncoder again = SentenceEncoder.Load(target.Path);
        Assert.Equal(length, again.MaxSequenceLength);
    }

    [Fact]
    public void Another_length_changes_one_number_of_the_older_layout()
    {
        using TemporaryFolder target = new();
        string source = SentenceEncoder.DefaultFolder;
        using (SentenceEncoder encoder = SentenceEncoder.Load(source, 128)) encoder.Save(target.Path);
        AssertSame(source, target.Path, "sentence_bert_config.json", "model.safetensors");
        Assert.Equal(File.ReadAllText(Path.Combine(source, "sentence_bert_config.json")).Replace("256", "128", StringComparison.Ordinal), File.ReadAllText(target.File("sentence_bert_config.json")));
        using SentenceEncoder same = SentenceEncoder.Load(source, 256);
        same.Save(target.Path);
        AssertSame(source, target.Path, "model.safetensors");
    }

    [Theory]
    [InlineData("sentence_bert_config.json tokenizer_config.json", "sentence_bert_config.json", "{\n  \"max_seq_length\": 20,\n  \"do_lower_case\": false\n}")]
    [InlineData("sentence_bert_config.json tokenizer_config.json", "sentence_bert_config.json", "{\"a\":1, \"max_seq_length\": 20}", "{\"a\":1}", "{\"a\":1, \"b\":2}")]
    [InlineData("", "tokenizer_config.json", "{\"a\": 1, \"b\": 2, \"model_max_length\": 20}", "{\"a\": 1, \"b\": 2}")]
    public void Another_length_is_said_where_no_file_said_one(string without, string file, string written, params string[] there)
    {
        using TemporaryFolder source = new(), target = new();
        EncoderFolderTests.CopyTiny(source.Path, "tiny-bert");
        foreach (string name in without.Split(' ', StringSplitOptions.RemoveEmptyEntries)) File.Delete(source.File(name));
        if (there.Length == 1) File.WriteAllText(source.File(file), there[0]);
        else if (there.Length > 1)
        {
            File.WriteAllText(source.File(file), there[1]);
            written = "{\"a\":1, \"b\":2, \"max_seq_length\": 20}";
        }
        using (SentenceEncoder encoder = SentenceEncoder.Load(source.Path, 20)) encoder.Save(target.Path);
        Assert.Equal(written, File.ReadAllText(target.File(file)));
        using SentenceEncoder again = SentenceEncoder.Load(target.Path);
        Assert.Equal(20, again.MaxSequenceLength);
    }

    [Theory, InlineData("tiny-bert-cls"), InlineData("older")]
    public void A_head_is_appended_in_the_style_of_the_layout_and_leaves_without_a_trace(string layout)
    {
        using TemporaryFolder plain = new(), withHead = new(), again = new(), copy = new();
        string source = Tiny("tiny-bert-cls");
        if (layout == "older")
        {
            OlderProgramsFolder(copy.Path);
            source = copy.Path;
        }
        using SentenceEncoder encoder = SentenceEncoder.Load(source);
        Head head = Head.Create(encoder.Dimension, ["red tea", "green tea", "red wine"], seed: 1);
        using (var model = new EmbeddingModel(encoder, head, new ItemText(), cache: null)) model.Save(withHead.Path);
        encoder.Save(plain.Path);
        string modules = File.ReadAllText(withHead.File("modules.json")), before = File.ReadAllText(plain.File("modules.json"));
        Assert.StartsWith(before.TrimEnd()[..^1].TrimEnd(), modules, StringComparison.Ordinal);
        string prefix = layout == "older" ? "sentence_transformers.models." : "sentence_transformers.base.modules.";
        Assert.All(JsonSerializer.Deserialize<JsonElement>(modules).EnumerateArray().Skip(2), m => Assert.StartsWith(prefix, m.GetProperty("type").GetString(), StringComparison.Ordinal));
        Assert.Contains("  {\n    \"idx\": 4,\n    \"name\": \"4\",\n    \"path\": \"4_Dense\",", modules, StringComparison.Ordinal);

        using (EmbeddingModel loaded = EmbeddingModel.Load(withHead.Path, cache: null))
        {
            Assert.Equal(encoder.Fingerprint, loaded.Encoder.Fingerprint);
            loaded.Encoder.Save(again.Path);
        }
        AssertSame(plain.Path, again.Path);

        // As Python opens it: the head is two modules like any other.
        using SentenceEncoder whole = SentenceEncoder.Load(withHead.Path);
        Assert.Equal(["Transformer", "Pooling", "Dense", "Normalize", "Dense", "Normalize"], whole.Folder.Modules.Select(m => m.Kind));
    }

    [Fact]
    public void A_folder_that_an_older_version_of_this_program_saved_still_loads_and_is_kept_as_it_is()
    {
        using TemporaryFolder source = new(), target = new();
        OlderProgramsFolder(source.Path);
        using (SentenceEncoder encoder = SentenceEncoder.Load(source.Path), original = SentenceEncoder.Load(Tiny("tiny-bert-cls")))
        {
            Assert.Equal(original.Fingerprint, encoder.Fingerprint);
            encoder.Save(target.Path);
        }
        AssertSame(source.Path, target.Path);
    }

    [Fact]
    public void Training_changes_weights_and_nothing_else()
    {
        using TemporaryFolder target = new();
        using SentenceEncoder encoder = SentenceEncoder.Load(Tiny("tiny-bert-cls"));
        using SentenceEncoder clone = encoder.Clone();
        using (no_grad())
            foreach ((_, Tensor value) in clone.Parameters) value.zero_();
        clone.Save(target.Path);
        AssertSame(Tiny("tiny-bert-cls"), target.Path, "model.safetensors", "2_Dense/model.safetensors");
        using SafetensorsFile before = SafetensorsFile.Open(Path.Combine(Tiny("tiny-bert-cls"), "model.safetensors")), after = SafetensorsFile.Open(target.File("model.safetensors"));
        Assert.Equal(before.Header, after.Header);
        Assert.All(after.ReadFloats("embeddings.word_embeddings.weight"), v => Assert.Equal(0, v));
        Assert.Equal(before.ReadFloats("pooler.dense.weight"), after.ReadFloats("pooler.dense.weight"));
    }

    [Fact]
    public void An_encoder_can_be_saved_over_the_folder_that_it_came_from()
    {
        using TemporaryFolder folder = new();
        EncoderFolderTests.CopyTiny(folder.Path);
        using (SentenceEncoder encoder = SentenceEncoder.Load(folder.Path)) encoder.Save(folder.Path);
        AssertSame(Tiny("tiny-bert-cls"), folder.Path);
    }

    /// <summary>tiny-bert-cls as this program used to save it: older layout, JSON and order of fields of its own, weights without pooler.</summary>
    internal static void OlderProgramsFolder(string folder)
    {
        EncoderFolderTests.CopyTiny(folder);
        Directory.Delete(Path.Combine(folder, "3_Normalize"), recursive: true);
        var modules = new StringBuilder("[");
        foreach ((int n, string path) in new[] { "", "1_Pooling", "2_Dense", "3_Normalize" }.Index())
            modules.Append(n == 0 ? "" : ",").Append($"\n  {{\n    \"idx\": {n},\n    \"name\": \"{n}\",\n    \"path\": \"{path}\",\n    \"type\": \"sentence_transformers.models.{(n == 0 ? "Transformer" : path[2..])}\"\n  }}");
        File.WriteAllText(Path.Combine(folder, "modules.json"), modules + "\n]");
        File.WriteAllText(Path.Combine(folder, "sentence_bert_config.json"), "{\n  \"max_seq_length\": 48,\n  \"do_lower_case\": false\n}");
        File.WriteAllText(Path.Combine(folder, "1_Pooling", "config.json"),
            "{\n  \"word_embedding_dimension\": 24,\n  \"pooling_mode_cls_token\": true,\n  \"pooling_mode_max_tokens\": false,\n  \"pooling_mode_mean_tokens\": false,\n  \"pooling_mode_mean_sqrt_len_tokens\": false\n}");
        File.WriteAllText(Path.Combine(folder, "2_Dense", "config.json"), "{\n  \"in_features\": 24,\n  \"out_features\": 13,\n  \"bias\": true,\n  \"activation_function\": \"torch.nn.modules.activation.Tanh\"\n}");
        Rewrite(Path.Combine(folder, "model.safetensors"), t => t.Name.StartsWith("pooler.", StringComparison.Ordinal) ? null : t);
    }

    /// <param name="change">Null leaves the tensor out.</param>
    private static void Rewrite(string path, Func<SafetensorsTensor, SafetensorsTensor?> change, params SafetensorsTensor[] more)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        SafetensorsWriter.Write(path, [.. file.Entries.Select(e => change(SafetensorsTensor.Of(e.Name, e.Type, e.Shape, file.Bytes(e).ToArray()))).OfType<SafetensorsTensor>(), .. more], file.Metadata);
    }
}
