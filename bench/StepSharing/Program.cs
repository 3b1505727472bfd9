// An encoder's training step alone and with workers, which are processes of this machine with one thread each: `dotnet run -c Release --project bench/StepSharing -- [--items 64] [--tokens 64] [--rounds 4] [--workers 0 1 2]`
//
// All sides take their steps in turns within one run. Workers share the cores: what can be seen here is what sharing costs (bytes, time outside the encoder), and that the work moves over; not what more machines gain.
using System.CommandLine;
using System.Diagnostics;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.StepSharing;
using BeeFormer.Streaming.Trainer;
using BeeFormer.Streaming.Training;

var items = new Option<int>("--items") { Description = "Items of a step", DefaultValueFactory = _ => 64 };
var tokens = new Option<int>("--tokens") { Description = "Tokens that texts are cut to", DefaultValueFactory = _ => 64 };
var rounds = new Option<int>("--rounds") { Description = "Steps of each side", DefaultValueFactory = _ => 4 };
var chunk = new Option<int>("--chunk") { Description = "Texts encoded together (embedder_batch_size)", DefaultValueFactory = _ => 8 };
var frozen = new Option<double>("--frozen") { Description = "frozen_layers", DefaultValueFactory = _ => new TrainingPolicy().FrozenLayers };
var counts = new Option<int[]>("--workers") { Description = "Numbers of workers, one side each", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [0, 1, 2] };
var work = new Option<bool>("--work") { Description = "Is a worker, until its input ends" };

var command = new RootCommand("Measures training steps over workers") { items, tokens, rounds, chunk, frozen, counts, work };
command.SetAction(async (arguments, _) =>
{
    System.Runtime.CompilerServices.RuntimeHelpers.RunModuleConstructor(typeof(SentenceEncoder).Module.ModuleHandle);
    if (arguments.GetValue(work))
    {
        await WorkerProcess.WorkAsync();
        return;
    }
    TorchSharp.torch.set_num_threads(1);
    Shop shop = Shop.Of(null, 0, 2000, 20_000);
    var policy = new TrainingPolicy { MaxOutput = arguments.GetValue(items), EmbedderBatchSize = arguments.GetValue(chunk), FrozenLayers = arguments.GetValue(frozen) };
    int length = arguments.GetValue(tokens), steps = arguments.GetValue(rounds);
    var sides = new List<SharedStep> { new("without shares", shop, policy, SentenceEncoder.DefaultFolder, length, null) };
    foreach (int count in arguments.GetValue(counts)!) sides.Add(new SharedStep($"{count} workers", shop, policy, SentenceEncoder.DefaultFolder, length, count));

    var seconds = sides.ToDictionary(side => side, _ => new double[steps]);
    for (int round = 0; round < steps; round++)
        for (int turn = 0; turn < sides.Count; turn++)
        {
            SharedStep side = sides[(round + turn) % sides.Count];
            long began = Stopwatch.GetTimestamp();
            side.Step();
            seconds[side][round] = Stopwatch.GetElapsedTime(began).TotalSeconds;
        }

    Console.WriteLine(FormattableString.Invariant($"{policy.MaxOutput} items a step of at most {length} tokens, chunks of {policy.EmbedderBatchSize}, frozen_layers {policy.FrozenLayers}, {policy.Arithmetic.ForLayers()}, one thread each on {Environment.ProcessorCount} cores; weights that learn: {sides[0].WeightBytes / 1e6:F1} MB"));
    Console.WriteLine("| | shares | s a step, median | × without shares | own encoder, share of the step | workers' processor s a step | MB sent a step | MB received a step | largest worker, MB |");
    Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
    foreach (SharedStep side in sides)
    {
        (long sent, long received, TimeSpan own, TimeSpan busy) = side.Totals();
        string within = side.Workers is null ? "" : FormattableString.Invariant($"{own.TotalSeconds / seconds[side].Sum():P0}");
        Console.WriteLine(FormattableString.Invariant($"| {side.Name} | {side.Workers?.Shares.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? ""} | {Median(seconds[side]):F2} | {Median([.. seconds[side].Zip(seconds[sides[0]], (a, b) => a / b)]):F2} | {within} | {busy.TotalSeconds / steps:F2} | {sent / 1e6 / steps:F1} | {received / 1e6 / steps:F1} | {side.PeakMemory.DefaultIfEmpty().Max() / 1e6:F0} |"));
    }
    foreach (SharedStep side in sides) side.Dispose();
});
return await command.Parse(args).InvokeAsync();

static double Median(double[] values)
{
    double[] sorted = [.. values.Order()];
    return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
}
