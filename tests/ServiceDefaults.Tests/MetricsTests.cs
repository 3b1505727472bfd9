using System.Diagnostics.Metrics;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using static BeeFormer.Streaming.ServiceDefaults.Tests.Waiting;

namespace BeeFormer.Streaming.ServiceDefaults.Tests;

[Collection(OneHostAtATime.Name)]
public partial class MetricsTests
{
    private const string Begin = "<!-- metrics: written by MetricsTests with BEEFORMER_WRITE_DOCS=1 -->\n", End = "<!-- end of metrics -->";

    [Fact]
    public void Every_instrument_says_what_it_measures_and_in_what()
    {
        Assert.NotEmpty(Instruments.All);
        foreach (var instrument in Instruments.All)
        {
            Assert.Matches("^[a-z]+([._][a-z]+)*$", instrument.Name);
            Assert.False(string.IsNullOrEmpty(instrument.Description), $"{instrument.Name} has no description.");
            Assert.NotEmpty(Instruments.Exported(instrument));
        }
    }

    [Fact]
    public void Instruments_are_made_where_the_table_finds_them()
    {
        foreach (string source in Directory.EnumerateFiles(Repository.PathOf("src"), "*.cs", SearchOption.AllDirectories))
            if (MakesInstrument().IsMatch(File.ReadAllText(source)))
            {
                Assert.EndsWith("Metrics.cs", source, StringComparison.Ordinal);
                Assert.Contains("public const string MeterName = \"BeeFormer.Streaming.", File.ReadAllText(source), StringComparison.Ordinal);
            }
    }

    [Fact]
    public void The_documented_table_is_that_of_the_code()
    {
        var table = new StringBuilder("| metric | kind | what |\n|---|---|---|\n");
        foreach (var instrument in Instruments.All) table.Append(System.Globalization.CultureInfo.InvariantCulture, $"| `{Instruments.Exported(instrument)}` | {Instruments.Kind(instrument)}, `{instrument.Unit}` | {instrument.Description} |\n");

        string file = Repository.PathOf("docs", "observability.md"), text = File.ReadAllText(file);
        int begin = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, end = text.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin >= Begin.Length && end >= begin, $"{file} lacks the marks around the table.");
        if (Environment.GetEnvironmentVariable("BEEFORMER_WRITE_DOCS") == "1") File.WriteAllText(file, text[..begin] + table + text[end..]);
        else Assert.Equal(table.ToString(), text[begin..end]);
    }

    [Fact]
    public async Task Prometheus_sees_the_documented_names()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        builder.AddServiceDefaults();
        builder.Logging.ClearProviders();
        await using var app = builder.Build();
        app.UseRouting();
        app.MapMetrics();
        await app.StartAsync(Token);

        using var meter = new Meter("BeeFormer.Streaming.Alike");
        foreach (var instrument in Instruments.All) Measure(meter, instrument);
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        string metrics = await client.GetStringAsync("/metrics", Token);
        foreach (var instrument in Instruments.All) Assert.Contains($"# TYPE {Instruments.Exported(instrument)} {Instruments.Kind(instrument)}\n", metrics, StringComparison.Ordinal);

        string seconds = Instruments.Exported(Instruments.All.First(instrument => instrument.Unit == "s" && Instruments.Kind(instrument) == "histogram"));
        Assert.Contains("le=\"0.001\"", metrics.Split('\n').First(line => line.StartsWith(seconds + "_bucket", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pipeline_at_work_measures_itself()
    {
        await using var pipeline = await PipelineUnderTest.StartAsync();
        using var put = new StringContent("""{"title": "wooden chair"}""", Encoding.UTF8, "application/json");
        (await pipeline.Client.PutAsync("/v1/items/chair", put, Token)).EnsureSuccessStatusCode();
        string metrics = "";
        const string Request = """(?m)^http_server_request_duration_seconds_count\{.*http_route="/v1/items/\{id\}".*\} 1"""; // counted after it was answered
        await UntilAsync(async () =>
        {
            metrics = await pipeline.Client.GetStringAsync("/metrics", Token);
            return metrics.Contains("indexer_freshness_seconds_count", StringComparison.Ordinal) && metrics.Contains("\ningest_events_total", StringComparison.Ordinal) && Regex.IsMatch(metrics, Request);
        });
        Assert.Matches(Request, metrics);
        Assert.Matches("(?m)^model_live_age_seconds(\\{.*\\})? ", metrics);
        Assert.Matches("""(?m)^index_search_duration_seconds_count\{.*form="embedded".*outcome="ok".*\}""", metrics);
        Assert.DoesNotContain("chair", metrics, StringComparison.Ordinal);
    }

    private static void Measure(Meter meter, Instrument like)
    {
        switch (Instruments.Kind(like))
        {
            case "counter": meter.CreateCounter<long>(like.Name, like.Unit, like.Description).Add(1); break;
            case "histogram": meter.CreateHistogram<double>(like.Name, like.Unit, like.Description).Record(1); break;
            default: meter.CreateObservableGauge(like.Name, () => 1d, like.Unit, like.Description); break;
        }
    }

    [GeneratedRegex(@"\bCreate(Counter|Histogram|UpDownCounter|Gauge|ObservableGauge|ObservableCounter|ObservableUpDownCounter)\b|new Meter\(")]
    private static partial Regex MakesInstrument();
}
