using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Servers;

namespace BeeFormer.Streaming.Compatibility.Tests;

/// <summary>Data folders that older versions left.</summary>
public sealed class DataFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Versions => Recording.Versions;
    private static CancellationToken Token => TestContext.Current.CancellationToken;
    private string Data => _folder.Of("data");

    public void Dispose() => _folder.Dispose();

    [Theory, MemberData(nameof(Versions))]
    public async Task Every_part_gives_what_was_recorded(string version)
    {
        var recording = new Recording(version);
        recording.Unpack("data.tar.gz", Data);
        Assert.Equal(recording.Lines("log.jsonl").Select(line => line.ToJsonString()), (await Contents.LogAsync(Data, Token)).Select(one => Contents.Line(one.Topic, one.Message).ToJsonString()));
        Recording.AssertSame(recording.Read("expected.json")["contents"]!.AsObject(), await Contents.OfAsync(Data, Token));
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task The_program_answers_as_recorded_and_goes_on_working(string version)
    {
        var recording = new Recording(version);
        recording.Unpack("data.tar.gz", Data);
        JsonObject expected = recording.Read("expected.json");
        await using (RunningShop shop = await RunningShop.StartAsync(_folder.Path, (string)expected["key"]!, Token))
        {
            await shop.Client.SettledAsync(Token);
            Recording.AssertSame(expected["answers"]!.AsObject(), await shop.AnswersAsync(Token));
            Assert.True((await shop.Client.GetAsync($"/v1/users/{Uri.EscapeDataString(SmallShop.Erased)}/erasure", Token))["erased"]!.GetValue<bool>());
            Assert.Single((await shop.Client.GetAsync("/v1/dead-letters", Token))["letters"]!.AsArray());
            using var stranger = new ShopClient(shop.Client.Url);
            Assert.Equal(HttpStatusCode.Unauthorized, (await Assert.ThrowsAsync<HttpRequestException>(() => stranger.GetAsync("/v1/models", Token))).StatusCode);

            await shop.Client.PutItemsAsync([new { item_id = "item-new", title = "zinc weathervane", updated_at = 1_775_000_000_000 }], Token);
            await shop.Client.PutEventsAsync(Enumerable.Range(0, 30).Select(n => (object)new { user_id = $"user-{n % 22:D2}", item_id = n % 3 == 0 ? "item-new" : $"item-{n:D2}", type = "purchase", timestamp = 1_775_000_000_000 + n * 1_000L }), Token);
            await shop.Client.SettledAsync(Token);
            await ChildProcess.UntilAsync(async () => RunningShop.Ids(await shop.Client.PostAsync("/v1/search", new { text = "zinc weathervane", k = 3 }, Token)).Select(id => (string)id!).Contains("item-new"), "the new item to be found", Token);
            await ChildProcess.UntilAsync(async () => (await shop.Client.PostAsync("/v1/recommendations", new { user_id = SmallShop.Shopper, k = 5 }, Token)) is var answer && answer["fallback"] is null && answer["items"]!.AsArray().Count == 5, "recommendations of a known user", Token);
            JsonNode training = await shop.Client.TrainedAsync(await shop.Client.TrainAsync("head", "seed: 9\nhead_steps: 10\nhead_output: 64\nmin_holdout_users: 5\nholdout_share: 0.2\n", Token), Token);
            Assert.True((string)training["state"]! is "published" or "refused", training.ToJsonString());
            await shop.StopAsync();
        }
        JsonObject recorded = expected["contents"]!.AsObject(), now = await Contents.OfAsync(Data, Token);
        Assert.Equal((long)recorded["windows"]!["stored"]! + 30, (long)now["windows"]!["stored"]!);
        Assert.Equal((long)recorded["profiles"]!["next"]! + 30, (long)now["profiles"]!["next"]!);
        Assert.Equal(recorded["trainings"]!.AsArray().Count + 1, now["trainings"]!.AsArray().Count);
        Assert.True((bool)now["windows"]!["is_erased"]!);
    }

    /// <summary>While old and new run side by side, the old one reads what the new one writes.</summary>
    [Theory, MemberData(nameof(Versions))]
    public async Task Fields_that_a_newer_version_adds_are_passed_over(string version)
    {
        var recording = new Recording(version);
        recording.Unpack("data.tar.gz", Data);
        string[] grown = [.. ((string[])["models/models/*/manifest.json", "models/models/*/erasures.json", "models/refusals/*.json", "models/trainings/*.json"]).SelectMany(Files)];
        Assert.True(grown.Length >= 5, string.Join(", ", grown));
        foreach (string file in grown)
        {
            JsonObject json = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
            json.Insert(0, "of_tomorrow", new JsonObject { ["list"] = new JsonArray(1, "two", null) });
            File.WriteAllText(file, json.ToJsonString());
        }
        Recording.AssertSame(recording.Read("expected.json")["contents"]!.AsObject(), await Contents.OfAsync(Data, Token));
    }

    public static TheoryData<string, string, string, string> Newer => new(
        from version in Recording.Versions.Select(row => row.Data)
        from marker in (IEnumerable<(string File, string Now, string Then)>)
        [
            ("windows/window-store.format", "format 1", "format 99"), ("models/model-store.format", "format 1", "format 99"), ("index/vector-index.format", "format 2", "format 99"),
            ("log/interactions/topic.json", "\"Version\":1", "\"Version\":99"),
        ]
        select new TheoryDataRow<string, string, string, string>(version, marker.File, marker.Now, marker.Then));

    [Theory, MemberData(nameof(Newer))]
    public async Task A_part_of_a_newer_format_is_refused_by_file_and_version(string version, string file, string now, string then)
    {
        new Recording(version).Unpack("data.tar.gz", Data);
        Replace(Path.Combine(Data, file), now, then);
        Exception refused = await Assert.ThrowsAsync<InvalidDataException>(async () =>
        {
            await Contents.LogAsync(Data, Token);
            await Contents.OfAsync(Data, Token);
        });
        Assert.Contains(file, refused.Message, StringComparison.Ordinal);
        Assert.Contains("99", refused.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task Profiles_of_a_newer_format_are_refused_by_file_and_version(string version)
    {
        new Recording(version).Unpack("data.tar.gz", Data);
        string file = Files("profiles/*").Single(IsDatabase);
        using (FileStream database = File.OpenWrite(file))
        {
            database.Position = 60; // of SQLite's header: user_version
            database.Write([0, 0, 0, 99]);
        }
        Exception refused = await Assert.ThrowsAsync<InvalidDataException>(() => Contents.OfAsync(Data, Token));
        Assert.Contains(file, refused.Message, StringComparison.Ordinal);
        Assert.Contains("version 99", refused.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task A_data_folder_of_a_newer_format_is_refused_before_anything_in_it_is_touched(string version)
    {
        var recording = new Recording(version);
        recording.Unpack("data.tar.gz", Data);
        Replace(Path.Combine(Data, "format.json"), "\"format\":1", "\"format\":99");
        Exception refused = await Assert.ThrowsAsync<InvalidOperationException>(() => RunningShop.StartAsync(_folder.Path, "none", Token));
        Assert.Contains("format.json names format 99, expected 1", refused.Message, StringComparison.Ordinal);
        Replace(Path.Combine(Data, "format.json"), "\"format\":99", "\"format\":1");
        Recording.AssertSame(recording.Read("expected.json")["contents"]!.AsObject(), await Contents.OfAsync(Data, Token));
    }

    private static bool IsDatabase(string path) => new FileInfo(path).Length > 100 && Encoding.ASCII.GetString(File.ReadAllBytes(path), 0, 15) == "SQLite format 3";

    private static void Replace(string file, string now, string then)
    {
        string text = File.ReadAllText(file);
        Assert.Contains(now, text, StringComparison.Ordinal);
        File.WriteAllText(file, text.Replace(now, then, StringComparison.Ordinal));
    }

    /// <summary>Paths with one star, as a folder or in a name.</summary>
    private IEnumerable<string> Files(string pattern)
    {
        IEnumerable<string> found = [Data];
        string[] parts = pattern.Split('/');
        for (int n = 0; n < parts.Length; n++)
        {
            string part = parts[n];
            found = n == parts.Length - 1 ? found.SelectMany(folder => Directory.EnumerateFiles(folder, part)) : found.SelectMany(folder => Directory.EnumerateDirectories(folder, part));
        }
        return found;
    }
}
