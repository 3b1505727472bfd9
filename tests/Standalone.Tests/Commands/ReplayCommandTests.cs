using System.Text.Json;
using BeeFormer.Streaming.Standalone.Tests.DataSets;

namespace BeeFormer.Streaming.Standalone.Tests.Commands;

[Collection("Pipeline")]
public sealed class ReplayCommandTests : IDisposable
{
    private readonly Files files = new();
    private readonly ShopFiles shop;

    public ReplayCommandTests() => shop = new ShopFiles(files, products: 100, shoppers: 100);

    public void Dispose() => files.Dispose();

    [Fact]
    public async Task The_tail_is_learned_once_and_another_policy_starts_over_on_what_has_landed()
    {
        string data = Path.Combine(files.Folder, "data");
        JsonElement first = await ReplayAsync(data, "--train-every", "1000000");
        JsonElement model = Assert.Single(first.GetProperty("models").EnumerateArray());
        Assert.Equal(shop.Rows, model.GetProperty("after_interactions").GetInt32());
        Assert.False(first.TryGetProperty("note", out _));

        JsonElement again = await ReplayAsync(data, "--train-every", "1000000");
        Assert.Equal(first.GetRawText(), again.GetRawText());

        File.AppendAllText(shop.Policy, "seed: 7\n");
        JsonElement other = await ReplayAsync(data, "--train-every", "1000000");
        Assert.Equal(shop.Rows, other.GetProperty("interactions").GetInt32());
        string decision = Assert.Single(other.GetProperty("models").EnumerateArray()).GetProperty("decision").GetString()!;
        Assert.Contains("not trained again. What was decided then: ", decision, StringComparison.Ordinal);
        Assert.EndsWith(model.GetProperty("decision").GetString()!, decision, StringComparison.Ordinal);
        Assert.Equal(decision.Contains(" Promoted: ", StringComparison.Ordinal), other.TryGetProperty("note", out _)); // a trained model knows what comes
        Assert.Equal(shop.Rows.ToString(System.Globalization.CultureInfo.InvariantCulture), (await Tool.SucceedAsync("windows", "count", "--data", data)).Output.Trim());
    }

    [Fact]
    public async Task Without_training_there_is_none_at_the_end_either() =>
        Assert.Empty((await ReplayAsync(Path.Combine(files.Folder, "data"), "--train-every", "0")).GetProperty("models").EnumerateArray());

    [Fact]
    public async Task Other_settings_of_the_ranking_are_measured_beside_those_in_service()
    {
        JsonElement report = await ReplayAsync(Path.Combine(files.Folder, "data"), "--train-every", "0", "--with", "Diversity=0.5", "--with", "Exploration=0.2,ExplorationBelow=2");
        var rows = report.GetProperty("overall").EnumerateArray().ToDictionary(row => row.GetProperty("name").GetString()!);
        double Of(string row, string measure) => rows[row].GetProperty(measure).GetDouble();
        Assert.True(Of("served, Diversity=0.5", "similarity@20") < Of("served", "similarity@20"));
        Assert.True(Of("served, Exploration=0.2,ExplorationBelow=2", "coverage") > Of("served", "coverage"));
        Assert.Contains(report.GetProperty("comparisons").EnumerateArray(), one => (one.GetProperty("name").GetString(), one.GetProperty("against").GetString()) == ("served, Diversity=0.5", "served"));

        Tool.Result refused = await Tool.RunAsync(["replay", "--items", shop.Items, "--interactions", shop.Interactions, "--with", "Divers=0.5"]);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("--with: 'Divers=0.5' are no settings of the ranking", refused.Error, StringComparison.Ordinal);
    }

    private async Task<JsonElement> ReplayAsync(string data, params string[] options)
    {
        string report = Path.Combine(files.Folder, "report.json");
        await Tool.SucceedAsync(["replay", "--data", data, "--items", shop.Items, "--interactions", shop.Interactions, "--policy", shop.Policy, "--report", report, .. options]);
        return JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(report));
    }
}
