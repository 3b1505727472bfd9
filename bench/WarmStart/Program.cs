// How should a head be retrained while a stream grows: anew each time, or from the head in service, for how many steps and at what rate?
// Cuts the stream that a data folder holds into growing windows, trains a chain of heads for each way, and scores every head on the newest slice of its window, which it has not seen.
using System.CommandLine;
using System.Diagnostics;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.Trainer;
using BeeFormer.Streaming.WindowStore;

var data = new Argument<string>("data") { Description = "Data folder that a replay has filled" };
var every = new Option<int>("--every") { Description = "Interactions between two trainings", DefaultValueFactory = _ => 40_000 };
var rounds = new Option<int>("--rounds") { Description = "Trainings at most", DefaultValueFactory = _ => 6 };
var ways = new Option<string[]>("--ways")
{
    Description = "Ways to retrain, each as steps:rate, rate as a share of the policy's rates; with 'fresh:' before it each head starts anew",
    AllowMultipleArgumentsPerToken = true,
    DefaultValueFactory = _ => ["fresh:400:1", "fresh:160:1", "60:1", "60:0.3", "160:0.3"],
};
var halfLife = new Option<double?>("--half-life") { Description = "Days after which an interaction's weight has halved; default: no decay" };
var command = new RootCommand("Compares ways to retrain a head") { data, every, rounds, ways, halfLife };
command.SetAction(arguments =>
{
    TorchSharp.torch.set_num_threads(Environment.ProcessorCount);
    var store = new ParquetWindowStore(Path.Combine(arguments.GetValue(data)!, "windows"));
    InteractionWindow window = store.Read(new WindowQuery { HalfLife = arguments.GetValue(halfLife) is { } days ? TimeSpan.FromDays(days) : null });
    var catalogue = new TrainingCatalogue(store.ReadCatalogue(), new ItemText());
    using SentenceEncoder encoder = SentenceEncoder.Load(SentenceEncoder.DefaultFolder, 128);
    using var cache = new EncoderOutputCache(Path.Combine(Path.GetTempPath(), "beeformer-encoder-outputs"));
    EmbeddingMatrix e = cache.GetOrEncode(encoder, catalogue.Texts);
    Head untrained = Head.Create(encoder.Dimension, catalogue.Words, seed: 42);
    SparseRows words = untrained.TfIdf(catalogue.Words);
    var policy = new TrainingPolicy();

    var names = arguments.GetValue(ways)!;
    var chains = names.ToDictionary(name => name, _ => (Head?)null);
    var sums = names.ToDictionary(name => name, _ => (Ndcg: 0.0, Recall: 0.0, Cold: 0.0, Seconds: 0.0, Rounds: 0));
    Console.WriteLine("interactions  way        ndcg@100  recall@20  ndcg@100 of new items  seconds");
    for (int round = 1; round <= arguments.GetValue(rounds); round++)
    {
        int count = round * arguments.GetValue(every);
        if (count > window.Count) break;
        var part = window with { User = window.User[..count], Item = window.Item[..count], Weight = window.Weight[..count], TimestampMs = window.TimestampMs[..count] };
        WindowSplit split = WindowSplit.Of(part, catalogue.IndexesOf(part.Items), catalogue.Texts.Count, policy.HoldoutShare, out string? problem) ?? throw new InvalidDataException(problem);
        var evaluation = new ModelEvaluation(split, catalogue.Words, policy, CancellationToken.None);
        foreach (string name in names)
        {
            Head? before = chains[name];
            if (before is not null) Print(count, "  before", evaluation.Of(before.Apply(e, words)), 0);
            string[] way = name.Split(':');
            bool anew = way[0] == "fresh", fresh = before is null || anew;
            double rate = before is null && !anew ? 1 : double.Parse(way[^1], System.Globalization.CultureInfo.InvariantCulture);
            int steps = before is null && !anew ? policy.HeadSteps : int.Parse(way[^2], System.Globalization.CultureInfo.InvariantCulture);
            var clock = Stopwatch.StartNew();
            Head head = ModelTraining.LearnHead(fresh ? untrained : before!, words, e, split.History, policy with { HeadLr = policy.HeadLr * rate, HeadWordLr = policy.HeadWordLr * rate, Seed = policy.Seed + round }, steps,
                TimeProvider.System, new TrainingPhases(Guid.Empty, null), CancellationToken.None);
            double seconds = clock.Elapsed.TotalSeconds;
            chains[name] = head;
            GateCandidate result = evaluation.Of(head.Apply(e, words));
            Print(count, name, result, seconds);
            if (round == 1) continue;
            var sum = sums[name];
            sums[name] = (sum.Ndcg + result.Scores.All.Mean(GateMetric.Ndcg100), sum.Recall + result.Scores.All.Mean(GateMetric.Recall20), sum.Cold + result.Scores.Cold.Mean(GateMetric.Ndcg100), sum.Seconds + seconds, sum.Rounds + 1);
        }
        Print(count, "popularity", new GateCandidate(evaluation.Popularity(), evaluation.Of(e).Health), 0);
    }
    Console.WriteLine("means from the second training on");
    foreach (var (name, sum) in sums.Where(s => s.Value.Rounds > 0))
        Console.WriteLine(FormattableString.Invariant($"              {name,-10} {sum.Ndcg / sum.Rounds,8:F4}  {sum.Recall / sum.Rounds,9:F4}  {sum.Cold / sum.Rounds,21:F4}  {sum.Seconds / sum.Rounds,7:F1}"));
});
return command.Parse(args).Invoke();

static void Print(int count, string name, GateCandidate result, double seconds) => Console.WriteLine(FormattableString.Invariant(
    $"{count,12}  {name,-10} {result.Scores.All.Mean(GateMetric.Ndcg100),8:F4}  {result.Scores.All.Mean(GateMetric.Recall20),9:F4}  {result.Scores.Cold.Mean(GateMetric.Ndcg100),21:F4}  {seconds,7:F1}"));
