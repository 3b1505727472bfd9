// An encoder's training step beside the published way to take it, in turns within one process; and the memory that steps of different sizes need.
//
//   dotnet run -c Release --project bench/Training -- [--data FOLDER] [--tokens 64 128] [--items 128] [--rounds 2] [--memory]
//
// Figures are medians over the rounds, ratios medians of the rounds' ratios, by processor time, which is steadier where others use the machine. Compare the figures of one run with each other only.
using System.CommandLine;
using System.Diagnostics;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.Trainer;
using BeeFormer.Streaming.Training;

var data = new Option<string?>("--data") { Description = "Folder with items.csv.gz, interactions.csv.gz and cold_items.txt; default: made-up texts of 20 to 180 words" };
var minValue = new Option<double>("--min-value") { Description = "Interactions below it are left out (ratings: 4)", DefaultValueFactory = _ => double.MinValue };
var model = new Option<string>("--model") { Description = "Folder of the sentence encoder; default: the one that comes with the program", DefaultValueFactory = _ => SentenceEncoder.DefaultFolder };
var tokens = new Option<int[]>("--tokens") { Description = "Tokens that texts are cut to, one table each", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [64, 128] };
var items = new Option<int>("--items") { Description = "Items of a step", DefaultValueFactory = _ => 128 };
var rounds = new Option<int>("--rounds") { Description = "Rounds", DefaultValueFactory = _ => 2 };
var users = new Option<int>("--users") { Description = "Users of made-up data", DefaultValueFactory = _ => 20_000 };
var threads = new Option<int>("--threads") { Description = "Threads", DefaultValueFactory = _ => Environment.ProcessorCount };
var graphMemory = new Option<int>("--graph-memory-mb") { Description = "As in a policy", DefaultValueFactory = _ => new TrainingPolicy().GraphMemoryMb };
var chunk = new Option<int>("--chunk") { Description = "Texts encoded together (embedder_batch_size)", DefaultValueFactory = _ => new TrainingPolicy().EmbedderBatchSize };
var noModelMaximum = new Option<bool>("--no-model-maximum") { Description = "Leaves the published way at the model's own longest text out" };
var memory = new Option<bool>("--memory") { Description = "Measures memory at 256, 1,024 and 10,000 items instead" };
var step = new Option<int?>("--step") { Description = "Takes one step of so many items and prints the memory it needed" };
var frozen = new Option<double>("--frozen") { Description = "frozen_layers for --step" };

var command = new RootCommand("Measures training steps of the encoder") { data, minValue, model, tokens, items, rounds, users, threads, graphMemory, chunk, noModelMaximum, memory, step, frozen };
command.SetAction(arguments =>
{
    System.Runtime.CompilerServices.RuntimeHelpers.RunModuleConstructor(typeof(SentenceEncoder).Module.ModuleHandle);
    TorchSharp.torch.set_num_threads(arguments.GetValue(threads));
    string folder = arguments.GetValue(model)!;
    if (arguments.GetValue(step) is { } count)
    {
        PeakMemory.Step(count, arguments.GetValue(users), arguments.GetValue(frozen), arguments.GetValue(graphMemory), folder);
        return;
    }
    if (arguments.GetValue(memory))
    {
        PeakMemory.Print([256, 1024, 10_000], arguments.GetValue(users));
        return;
    }
    Shop shop = Shop.Of(arguments.GetValue(data), arguments.GetValue(minValue), 4000, arguments.GetValue(users));
    Console.WriteLine($"{shop.Interactions.Users} users, {shop.Texts.Length} items, {arguments.GetValue(items)} items a step, {arguments.GetValue(threads)} threads");
    string cache = Directory.CreateTempSubdirectory("training-bench-").FullName;
    try
    {
        foreach (int length in arguments.GetValue(tokens)!) Compare(length, cache);
    }
    finally
    {
        Directory.Delete(cache, recursive: true);
    }

    void Compare(int length, string cacheFolder)
    {
        int m = arguments.GetValue(items), together = arguments.GetValue(chunk);
        var policy = new TrainingPolicy { MaxOutput = m, GraphMemoryMb = arguments.GetValue(graphMemory), EmbedderBatchSize = together };
        using var frozenHalf = new OwnStep("ours, lower half frozen and cached (default)", shop, policy with { FrozenLayers = 0.5 }, folder, length, cacheFolder);
        using var allLayers = new OwnStep("ours, all layers", shop, policy with { FrozenLayers = 0 }, folder, length, cacheFolder);
        using var published = new PublishedStep("published", shop, folder, length, m, users: 1, together);
        using PublishedStep? atMaximum = arguments.GetValue(noModelMaximum) ? null : new PublishedStep("published, at the model's own maximum", shop, folder, null, m, users: 1, together);
        ISide[] sides = [frozenHalf, allLayers, published, .. atMaximum is null ? Array.Empty<ISide>() : [atMaximum]];
        int roundCount = arguments.GetValue(rounds);
        var seconds = sides.ToDictionary(side => side.Name, _ => new double[roundCount]); // of 1,000 items, by the clock
        var processor = sides.ToDictionary(side => side.Name, _ => new double[roundCount]); // the same of all processors
        var total = new Dictionary<string, double>();
        for (int round = 0; round < roundCount; round++)
            for (int turn = 0; turn < sides.Length; turn++)
            {
                ISide side = sides[(round + turn) % sides.Length];
                TrainingBatch? batch = (side as OwnStep)?.Draw();
                if (batch is not null) ((OwnStep)side).Fill(batch);
                long began = Stopwatch.GetTimestamp();
                TimeSpan busy = Environment.CpuUsage.TotalTime;
                int used = side is OwnStep own ? own.Step(batch!) : side.Step();
                double spent = Stopwatch.GetElapsedTime(began).TotalSeconds;
                seconds[side.Name][round] = spent / used * 1000;
                processor[side.Name][round] = (Environment.CpuUsage.TotalTime - busy).TotalSeconds / used * 1000;
                total[side.Name] = total.GetValueOrDefault(side.Name) + spent;
            }
        Console.WriteLine();
        Console.WriteLine($"Texts cut to {length} tokens: seconds of 1,000 item passes by the clock, of processor time, ratios");
        foreach (ISide side in sides)
        {
            string ratios = string.Join(", ", sides.OfType<PublishedStep>().Select(other => FormattableString.Invariant($"{Median([.. processor[side.Name].Zip(processor[other.Name], (a, b) => b / a)]):F2} x {other.Name}")));
            Console.WriteLine(FormattableString.Invariant($"{side.Name,-46} {Median(seconds[side.Name]),8:F1} {Median(processor[side.Name]),8:F1}   {ratios}"));
        }
        foreach (OwnStep side in (OwnStep[])[frozenHalf, allLayers])
        {
            TrainingBatch batch = side.Draw();
            side.Fill(batch);
            double scale = roundCount;
            side.TimeLoss(batch);
            side.Beside["loss"] *= scale;
            side.Beside["cache reads"] *= scale;
            double all = total[side.Name] + side.Beside["drawing"];
            Console.WriteLine(FormattableString.Invariant($"outside the encoder, {side.Name}: {side.Beside.Values.Sum() / all:P1} ({string.Join(", ", side.Beside.Select(part => FormattableString.Invariant($"{part.Key} {part.Value / all:P1}")))})"));
        }
    }
});
return command.Parse(args).Invoke();

static double Median(double[] values)
{
    double[] sorted = [.. values.Order()];
    return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
}
