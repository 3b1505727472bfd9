using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Standalone.DataSets;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Standalone.Replay;
using BeeFormer.Streaming.Trainer;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary><c>replay</c>: a data set through the running pipeline, measured as it goes.</summary>
internal static class ReplayCommand
{
    public static Command Create(IAnsiConsole console)
    {
        var dataSet = new DataSetOptions();
        var json = new JsonOption(console);
        json.Option.Aliases.Add("--report");
        Option<TimeSpan> period = new("--period") { Description = "Length of a reported period, as in 7d or 12h; data without times is cut into tenths.", HelpName = "SPAN", CustomParser = Durations.Parse, DefaultValueFactory = _ => TimeSpan.FromDays(7) };
        Option<int> trainEvery = new("--train-every") { Description = "Interactions between two trainings; one more follows at the end, unless nothing new arrived; 0: none at all.", HelpName = "N", DefaultValueFactory = _ => 20_000 };
        trainEvery.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && int.TryParse(result.Tokens[0].Value, out int number) && number < 0) result.AddError($"--train-every is {number}; expected 0 or more.");
        });
        Option<string[]> with = new("--with") { Description = "Measures as well what would be served with other settings of the section Ranking, as in Diversity=0.3 or Popularity=0,History=0; may be repeated.", HelpName = "KEY=VALUE,…" };
        with.Validators.Add(result =>
        {
            foreach (Token token in result.Tokens)
                try
                {
                    RankingVariant.Of(token.Value, new RankingOptions());
                }
                catch (FormatException wrong)
                {
                    result.AddError($"--with: {wrong.Message}");
                }
        });
        Option<string?> policy = CommonOptions.OptionalFile("--policy", "Training policy (YAML); default: the program's own.");
        Option<string> data = CommonOptions.Data();
        var command = new Command("replay", "Stream a data set through the pipeline: predict each interaction, then learn from it.");
        dataSet.AddTo(command);
        foreach (Option option in new Option[] { json.Option, period, trainEvery, with, policy, data }) command.Options.Add(option);
        command.SetAction(async (parsed, cancellationToken) => await Failures.GuardAsync(parsed, async token =>
        {
            var plan = new ReplayPlan(dataSet.Of(parsed), parsed.GetRequiredValue(period), parsed.GetRequiredValue(trainEvery), parsed.GetValue(policy)) { With = parsed.GetValue(with) ?? [] };
            var settings = new Dictionary<string, string?>(ManualTraining.Settings);
            var training = new TrainingPolicy();
            if (parsed.GetValue(policy) is { } file)
            {
                training = TrainingPolicy.Load(file); // a mistake in it is told before the data set is read
                settings["Policy"] = file;
            }
            ReplayReport result = await Progress.WithBarsAsync(json.People(parsed), async bars =>
            {
                Bar reading = bars.Start("Reading the data set", 1);
                (InteractionTable table, IReadOnlyList<ItemEvent> items) = await Task.Run(() => (
                    InteractionFile.Read(plan.Source.InteractionsFile, plan.Source.Columns, plan.Source.MinValue, token),
                    ItemFile.Read(plan.Source.ItemsFile, plan.Source.Columns, 0, token)), token);
                reading.Finish();
                await using StandaloneHost host = await StandaloneHost.StartAsync(parsed.GetRequiredValue(data), "http://127.0.0.1:0", quiet: true, settings, token);
                return await host.RunAsync(running => new ReplayRun(host.Pipeline, plan, table, items, stopping => BaseVectors.EncodeAsync(host, items, bars, stopping),
                    host.Folder.Replays, host.UserVector, host.Ranking, host.PopularityHalfLife, host.Profiles.InteractionsPerUser, training, host.Time).RunAsync(bars, running), token);
            });
            Print(json.People(parsed), result);
            json.Write(parsed, result);
            return 0;
        }, cancellationToken));
        return command;
    }

    private static void Print(IAnsiConsole console, ReplayReport report)
    {
        var table = new Table { Title = new TableTitle(string.Create(CultureInfo.InvariantCulture, $"{report.Interactions} interactions, each predicted before it was learned from")) }
            .AddColumns("period", "ranking", "recall@20", "ndcg@20", "coverage", "recall@20 new", "ndcg@20 new", "similarity@20", "new share@20");
        foreach (PeriodReport period in report.Periods) Add(table, $"{period.From[..Math.Min(10, period.From.Length)]}, {period.Interactions}", period.Rows);
        foreach (PeriodReport half in report.Halves) Add(table, $"{half.From[..Math.Min(10, half.From.Length)]} to {half.To[..Math.Min(10, half.To.Length)]}, {half.Interactions}", half.Rows);
        Add(table, "all", report.Overall);
        foreach (TableColumn column in table.Columns.Skip(2)) column.RightAligned();
        console.Write(table);
        foreach (Comparison compared in report.Comparisons)
            console.WriteLine($"{compared.Name} above {compared.Against} in {compared.Recall} (recall@20), {compared.Ndcg} (ndcg@20), {compared.RecallNew} (recall@20 new), {compared.NdcgNew} (ndcg@20 new) of {compared.Periods} periods");
        foreach (ReplayedModel model in report.Models) console.WriteLine($"after {model.AfterInteractions}: {model.Version} — {model.Decision}");
        if (report.UnknownItems > 0) console.WriteLine($"{report.UnknownItems} interactions name items that the catalogue lacks; they were stored and not predicted.");
        if (report.Note is { } note) console.WriteLine(note);
        console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Seconds:F0} s, at most {report.PeakMemoryMb:F0} MB."));
    }

    private static void Add(Table table, string period, IReadOnlyList<PeriodRow> rows)
    {
        for (int n = 0; n < rows.Count; n++)
        {
            PeriodRow row = rows[n];
            table.AddRow(n == 0 ? period : "", row.Name, Figures.Of(row.Recall), Figures.Of(row.Ndcg), Figures.Of(row.Coverage), Figures.Of(row.RecallNew), Figures.Of(row.NdcgNew), Figures.Of(row.Likeness), Figures.Of(row.NewShare));
        }
    }
}
