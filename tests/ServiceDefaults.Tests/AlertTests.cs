using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.Serialization;
using static BeeFormer.Streaming.ServiceDefaults.Tests.Waiting;

namespace BeeFormer.Streaming.ServiceDefaults.Tests;

/// <summary>What is shipped for Prometheus and Grafana speaks of metrics that there are.</summary>
[Collection(OneHostAtATime.Name)]
public partial class AlertTests
{
    private static readonly string s_alerts = Repository.PathOf("infra", "prometheus", "alerts.yml");

    /// <summary>Words of PromQL that are no metrics, where no parenthesis follows.</summary>
    private static readonly string[] s_words = ["by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless", "offset", "bool"];

    [Fact]
    public async Task Alerts_and_panels_name_metrics_that_exist()
    {
        var known = await KnownAsync();
        var expressions = Alerts().Select(rule => rule.Expression).Concat(Panels()).ToList();
        Assert.True(expressions.Count > 20, "The files hold fewer expressions than expected.");
        foreach (string expression in expressions)
        {
            string[] named = [.. Metrics(expression)];
            Assert.NotEmpty(named);
            foreach (string metric in named) Assert.True(known.Contains(metric), $"{metric}, in: {expression}");
        }
    }

    [Fact]
    public void Every_alert_says_what_is_wrong_and_what_to_do()
    {
        foreach (var (name, expression, labels, notes) in Alerts())
        {
            Assert.Matches("^(page|ticket)$", labels["severity"]);
            Assert.False(string.IsNullOrWhiteSpace(notes["summary"]) || string.IsNullOrWhiteSpace(notes["description"]), $"{name} ({expression}) says nothing.");
        }
    }

    [Theory]
    [InlineData("sum by (topic) (rate(ingest_events_total{topic=~\"a|b\"}[5m])) > 1e3", "ingest_events_total")]
    [InlineData("histogram_quantile(0.99, sum by (le) (rate(x_seconds_bucket[$__rate_interval]))) / on (instance) up", "x_seconds_bucket up")]
    public void Names_are_found_in_expressions(string expression, string expected) => Assert.Equal(expected.Split(' '), Metrics(expression));

    [Theory]
    [InlineData("check", "rules", "alerts.yml")]
    [InlineData("test", "rules", "alerts.test.yml")]
    public async Task Promtool_finds_nothing_wrong(string verb, string what, string file)
    {
        string? promtool = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, "promtool")).FirstOrDefault(File.Exists);
        const string Missing = "There is no promtool; Debian's package prometheus has it.";
        if (promtool is null)
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", Missing);
            Assert.Skip(Missing);
        }
        using var process = Process.Start(new ProcessStartInfo(promtool!, [verb, what, file]) { WorkingDirectory = Path.GetDirectoryName(s_alerts), RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(Token), process.StandardError.ReadToEndAsync(Token));
        await process.WaitForExitAsync(Token);
        Assert.True(process.ExitCode == 0, string.Concat(said));
    }

    private static async Task<HashSet<string>> KnownAsync()
    {
        await using var pipeline = await PipelineUnderTest.StartAsync();
        await pipeline.Client.GetAsync("/v1/models", Token);
        await pipeline.Client.GetAsync("/metrics", Token);
        string metrics = await pipeline.Client.GetStringAsync("/metrics", Token);
        var known = new HashSet<string>(StringComparer.Ordinal) { "up" };
        var seen = Type().Matches(metrics).Select(type => (Name: type.Groups[1].Value, Kind: type.Groups[2].Value));
        foreach (var (name, kind) in Instruments.All.Select(instrument => (Name: Instruments.Exported(instrument), Kind: Instruments.Kind(instrument))).Concat(seen))
            if (kind == "histogram") known.UnionWith([name + "_bucket", name + "_sum", name + "_count"]);
            else known.Add(name);
        return known;
    }

    private static IEnumerable<(string Name, string Expression, Dictionary<string, string> Labels, Dictionary<string, string> Notes)> Alerts()
    {
        var file = new DeserializerBuilder().Build().Deserialize<Dictionary<string, List<Dictionary<string, object>>>>(File.ReadAllText(s_alerts));
        foreach (var rule in file["groups"].SelectMany(group => (List<object>)group["rules"]).Cast<Dictionary<object, object>>())
            yield return ((string)rule["alert"], (string)rule["expr"], Texts(rule["labels"]), Texts(rule["annotations"]));

        static Dictionary<string, string> Texts(object pairs) => ((Dictionary<object, object>)pairs).ToDictionary(pair => (string)pair.Key, pair => (string)pair.Value);
    }

    private static IEnumerable<string> Panels()
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("infra", "grafana", "beeformer.json")));
        return [.. dashboard.RootElement.GetProperty("panels").EnumerateArray().Where(panel => panel.TryGetProperty("targets", out _))
            .SelectMany(panel => panel.GetProperty("targets").EnumerateArray()).Select(target => target.GetProperty("expr").GetString()!)];
    }

    private static IEnumerable<string> Metrics(string expression) =>
        Name().Matches(NoNames().Replace(expression, " ")).Select(name => name.Value).Where(name => !s_words.Contains(name)).Distinct();

    /// <summary>Matchers, ranges, texts and the labels of an aggregation or a join.</summary>
    [GeneratedRegex("""\{[^}]*\}|\[[^\]]*\]|"[^"]*"|\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)""")]
    private static partial Regex NoNames();

    [GeneratedRegex(@"(?<![\w.])[a-zA-Z_][a-zA-Z0-9_]*\b(?!\s*\()")]
    private static partial Regex Name();

    [GeneratedRegex(@"(?m)^# TYPE (\S+) (\S+)$")]
    private static partial Regex Type();
}
