using System.CommandLine;
using System.Globalization;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.Standalone.DataSets;
using BeeFormer.Streaming.Standalone.Evaluation;
using BeeFormer.Streaming.Standalone.Hosting;
using BeeFormer.Streaming.Trainer;
using Spectre.Console;

namespace BeeFormer.Streaming.Standalone.Commands;

/// <summary><c>evaluate</c>: the paper's cold-start protocol on a data set, with no service running.</summary>
internal static class EvaluateCommand
{
    public static Command Create(IAnsiConsole console)
    {
        var dataSet = new DataSetOptions();
        Option<string?> coldItems = CommonOptions.OptionalFile("--cold-items", "Ids of the cold items, one a line; default: a fifth of the items, drawn by the seed.");
        Option<string?> policy = CommonOptions.OptionalFile("--policy", "Training policy (YAML); default: the program's own.");
        Option<int?> length = new("--max-seq-length") { Description = "Tokens a text is cut to; default: as the policy says, else as the services do (128).", HelpName = "N" };
        Option<string?> encoder = new("--encoder") { Description = "sentence-transformers folder; default: the policy's embedder, or the one that comes with the program.", HelpName = "FOLDER" };
        Option<int> seed = new("--seed") { Description = "Draws the cold items where no file names them.", HelpName = "N", DefaultValueFactory = _ => 42 };
        Option<string> data = CommonOptions.Data();
        var json = new JsonOption(console);
        var command = new Command("evaluate", "Measure how well the encoder ranks items that nobody has touched, before and after training.");
        dataSet.AddTo(command);
        foreach (Option option in new Option[] { coldItems, policy, encoder, length, seed, data, json.Option }) command.Options.Add(option);
        command.SetAction(async (parsed, cancellationToken) => await Failures.GuardAsync(parsed, async token =>
        {
            TrainingPolicy training = parsed.GetValue(policy) is { } file ? TrainingPolicy.Load(file) : new TrainingPolicy();
            if (training.UseImages) throw new InvalidDataException("The policy says use_images: true, and evaluate compares texts alone; set use_images: false.");
            using DataFolder folder = DataFolder.Open(parsed.GetRequiredValue(data));
            TorchThreads.UseAll();
            ColdStartReport report = await Progress.WithBarsAsync(json.People(parsed), bars => Task.Run(() =>
            {
                Bar reading = bars.Start("Reading the data set", 1);
                ColdStartTask task = Read(dataSet.Of(parsed), parsed.GetValue(coldItems), parsed.GetRequiredValue(seed), token);
                reading.Finish();
                using SentenceEncoder start = StartEncoder.Load(parsed.GetValue(encoder) ?? training.Embedder,
                    parsed.GetValue(length) ?? training.MaxSeqLength ?? new BaseEncoderOptions().MaxSequenceLength);
                using var cache = new EncoderOutputCache(folder.Cache);
                return ColdStartEvaluation.Run(task, training, start, cache, new PhaseBars(bars), token);
            }, token));
            Print(json.People(parsed), report);
            json.Write(parsed, EvaluationReport.Of(report));
            return 0;
        }, cancellationToken));
        return command;
    }

    private static ColdStartTask Read(DataSetSource source, string? coldItems, int seed, CancellationToken cancellationToken)
    {
        IReadOnlySet<ItemId>? cold = coldItems is null ? null : ItemFile.ReadIds(coldItems);
        IReadOnlyList<ItemEvent> items = ItemFile.Read(source.ItemsFile, source.Columns, 0, cancellationToken);
        InteractionTable interactions = InteractionFile.Read(source.InteractionsFile, source.Columns, source.MinValue, cancellationToken);
        return ColdStartTasks.Build(interactions, items, new ItemText(), cold, seed);
    }

    private static void Print(IAnsiConsole console, ColdStartReport report)
    {
        var table = new Table { Title = new TableTitle(string.Create(CultureInfo.InvariantCulture, $"{report.Users} users, {report.ColdItems} cold items")) }
            .AddColumns("ranking", "recall@20", "recall@50", "ndcg@100");
        foreach (EvaluationRow row in report.Rows) table.AddRow(row.Name, Figures.Of(row.RecallAt20), Figures.Of(row.RecallAt50), Figures.Of(row.NdcgAt100));
        foreach (TableColumn column in table.Columns.Skip(1)) column.RightAligned();
        console.Write(table);
        console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Encoding took {report.EncodeSeconds:F1} s, training {report.TrainSeconds:F1} s. Mean cosine of two items: {report.BaseMeanCosine:F3} before, {report.TrainedMeanCosine:F3} after."));
    }
}
