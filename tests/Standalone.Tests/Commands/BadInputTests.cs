using BeeFormer.Streaming.Standalone.Tests.DataSets;

namespace BeeFormer.Streaming.Standalone.Tests.Commands;

/// <summary>Each mistake is one sentence that names the file and what was expected, with exit code 1, and nothing is damaged.</summary>
[Collection("Pipeline")]
public sealed class BadInputTests : IDisposable
{
    private const string Items = "item_id,title\ni1,Printer\ni2,Toner\n", Interactions = "user_id,item_id\nu1,i1\nu1,i2\n";

    private readonly Files files = new();
    private readonly string data, items, interactions;

    public BadInputTests()
    {
        data = Path.Combine(files.Folder, "data");
        items = files.Write("items.csv", Items);
        interactions = files.Write("interactions.csv", Interactions);
    }

    public void Dispose() => files.Dispose();

    [Theory]
    [InlineData("replay")]
    [InlineData("evaluate")]
    public async Task Unknown_columns(string command)
    {
        await Tool.RefuseAsync([command, "--data", data, "--items", items, "--interactions", interactions, "--title-column", "name"], items, "has no column name", "item_id, title");
        string other = files.Write("other.csv", "who,what\nu1,i1\n");
        await Tool.RefuseAsync([command, "--data", data, "--items", items, "--interactions", other], other, "has no column user_id", "who, what");
    }

    [Theory]
    [InlineData("replay")]
    [InlineData("evaluate")]
    public async Task Broken_gzip(string command)
    {
        byte[] whole = Files.Gzip(Interactions);
        string cut = files.Write("cut.csv.gz", whole[..^6]);
        await Tool.RefuseAsync([command, "--data", data, "--items", items, "--interactions", cut], cut, "gzip data is broken or cut off");
    }

    [Theory]
    [InlineData("replay")]
    [InlineData("evaluate")]
    public async Task Missing_files(string command)
    {
        string absent = Path.Combine(files.Folder, "absent.csv");
        await Tool.RefuseAsync([command, "--data", data, "--items", absent, "--interactions", interactions], absent, "does not exist; expected");
        await Tool.RefuseAsync([command, "--data", data, "--items", items, "--interactions", absent], absent, "does not exist; expected");
        await Tool.RefuseAsync([command, "--data", data, "--items", items, "--interactions", interactions, "--policy", absent], absent, "no such policy file");
    }

    [Fact]
    public async Task Missing_texts_to_encode()
    {
        string absent = Path.Combine(files.Folder, "absent.jsonl"), output = Path.Combine(files.Folder, "out.safetensors");
        await Tool.RefuseAsync(["encode", "--encoder", TinyEncoder.Folder, "--input", absent, "--output", output], absent, "does not exist");
        Assert.False(File.Exists(output));
    }

    [Fact]
    public async Task An_encoder_folder_that_is_not_there()
    {
        string absent = Path.Combine(files.Folder, "absent");
        await Tool.RefuseAsync(["encode", "--encoder", absent, "--input", files.Write("t.jsonl", """{"text": "a"}"""), "--output", Path.Combine(files.Folder, "o")], absent);
    }

    [Fact]
    public async Task An_encoder_folder_without_weights()
    {
        string folder = Encoder(), output = Path.Combine(files.Folder, "out.safetensors");
        File.Delete(Path.Combine(folder, "model.safetensors"));
        await Tool.RefuseAsync(["encode", "--encoder", folder, "--input", files.Write("t.jsonl", """{"text": "a"}"""), "--output", output], folder, "model.safetensors");
        Assert.False(File.Exists(output));
    }

    [Fact]
    public async Task Tensors_of_wrong_shape()
    {
        string folder = Encoder(), config = Path.Combine(folder, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"intermediate_size\": 64", "\"intermediate_size\": 48", StringComparison.Ordinal));
        await Tool.RefuseAsync(["encode", "--encoder", folder, "--input", files.Write("t.jsonl", """{"text": "a"}"""), "--output", Path.Combine(files.Folder, "o")],
            folder, "intermediate.dense.weight", "64", "48");
    }

    [Fact]
    public async Task A_service_does_not_start_on_an_encoder_without_weights_and_leaves_no_model()
    {
        string folder = Encoder();
        File.Delete(Path.Combine(folder, "model.safetensors"));
        await Tool.RefuseAsync(["serve", "--data", data, "--port", "0", "--policy", files.Write("policy.yaml", $"embedder: {folder}\nmax_seq_length: 64\n")], folder, "model.safetensors");
        await Tool.RefuseAsync(["replay", "--data", data, "--items", items, "--interactions", interactions, "--policy", files.Write("policy.yaml", $"embedder: {folder}\nmax_seq_length: 64\n")], folder, "model.safetensors");
        Assert.Empty(Directory.GetFiles(data, "manifest.json", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("serve")]
    [InlineData("demo")]
    [InlineData("replay")]
    [InlineData("evaluate")]
    [InlineData("windows count")]
    [InlineData("windows describe")]
    public async Task A_data_folder_of_another_version(string command)
    {
        Directory.CreateDirectory(data);
        string format = Path.Combine(data, "format.json");
        File.WriteAllText(format, """{"product": "BeeFormer.Streaming", "format": 99}""");
        string[] dataSet = command is "replay" or "evaluate" ? ["--items", items, "--interactions", interactions] : [];
        string[] port = command is "serve" or "demo" ? ["--port", "0"] : [];
        await Tool.RefuseAsync([.. command.Split(' '), "--data", data, .. dataSet, .. port], data, "another version", "format 99, expected 1");
        Assert.Equal([format], Directory.GetFileSystemEntries(data));
    }

    [Theory]
    [InlineData("serve")]
    [InlineData("replay")]
    [InlineData("evaluate")]
    public async Task A_policy_with_an_unknown_key(string command)
    {
        string policy = files.Write("policy.yaml", "head_steps: 10\nhead_stepz: 10\n");
        string[] rest = command == "serve" ? ["--port", "0"] : ["--items", items, "--interactions", interactions];
        await Tool.RefuseAsync([command, "--data", data, "--policy", policy, .. rest], policy, "(2,1)", "unknown key 'head_stepz'");
    }

    [Fact]
    public async Task Counting_where_no_data_folder_is() => await Tool.RefuseAsync(["windows", "count", "--data", data], data, "is no data folder; expected one");

    [Fact]
    public async Task An_address_that_others_could_reach() => await Tool.RefuseAsync(["serve", "--data", data, "--urls", "http://0.0.0.0:8080"], "http://0.0.0.0:8080", "expected a loopback address");

    [Theory]
    [InlineData("replay")]
    [InlineData("replay", "--period", "7y")]
    [InlineData("replay", "--train-every", "-1")]
    [InlineData("demo", "--products", "0")]
    [InlineData("serve", "--port", "70000")]
    [InlineData("learn")]
    public async Task Options_that_make_no_sense(params string[] args)
    {
        Tool.Result result = await Tool.RunAsync(args);
        Assert.NotEqual(0, result.ExitCode);
        Assert.NotEqual("", result.Error);
    }

    private string Encoder()
    {
        string folder = Path.Combine(files.Folder, "encoder");
        TinyEncoder.CopyTo(folder);
        return folder;
    }
}
