// Measures the fast tempo: how good a head gets, in how many seconds, on a folder with the cold-start protocol.
using System.CommandLine;
using System.Diagnostics;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.HeadTraining;
using BeeFormer.Streaming.Trainer;

var data = new Argument<string>("data") { Description = "Folder with items.csv.gz, interactions.csv.gz and cold_items.txt" };
var encoder = new Option<string?>("--encoder") { Description = "Folder of the sentence encoder; default: the one that comes with the program" };
var cacheFolder = new Option<string>("--cache") { Description = "Folder that keeps encoder outputs", DefaultValueFactory = _ => Path.Combine(Path.GetTempPath(), "beeformer-encoder-outputs") };
var minValue = new Option<double>("--min-value") { Description = "Interactions below it are left out (ratings: 4)", DefaultValueFactory = _ => double.MinValue };
var tokens = new Option<int>("--tokens") { Description = "Longest text in tokens", DefaultValueFactory = _ => 128 };
var steps = new Option<int>("--steps") { Description = "Steps of training", DefaultValueFactory = _ => new HeadTrainingOptions().Steps };
var itemsPerStep = new Option<int>("--items") { Description = "Items drawn a step", DefaultValueFactory = _ => 1024 };
var rate = new Option<float>("--lr") { Description = "Learning rate of W", DefaultValueFactory = _ => new HeadTrainingOptions().ProjectionLearningRate };
var wordRate = new Option<float>("--word-lr") { Description = "Learning rate of B", DefaultValueFactory = _ => new HeadTrainingOptions().WordLearningRate };
var dropout = new Option<double>("--dropout") { Description = "Share of an item's words that a step leaves out", DefaultValueFactory = _ => new HeadTrainingOptions().WordDropout };
var noPairs = new Option<bool>("--no-pairs") { Description = "Single words only" };
var dimension = new Option<int?>("--dimension") { Description = "Length of an item vector; default: the encoder's" };
var alpha = new Option<float>("--alpha") { Description = "Weight of the encoder against the words", DefaultValueFactory = _ => 0.5f };
var seed = new Option<int>("--seed") { Description = "Seed", DefaultValueFactory = _ => 1 };
var threads = new Option<int>("--threads") { Description = "Threads", DefaultValueFactory = _ => 2 };
var noEncoder = new Option<bool>("--no-encoder") { Description = "Words alone: encoder outputs are zero" };

var command = new RootCommand("Trains a head and evaluates it on cold items") { data, encoder, cacheFolder, minValue, tokens, steps, itemsPerStep, rate, wordRate, dimension, alpha, seed, threads, noEncoder, dropout, noPairs };
command.SetAction(arguments =>
{
    TorchSharp.torch.set_num_threads(arguments.GetValue(threads));
    var set = DataSet.Read(arguments.GetValue(data)!, arguments.GetValue(minValue));
    Console.WriteLine($"{set.Users} users, {set.Texts.Length} items, {set.Cold.Count(cold => cold)} cold, {set.User.Length} interactions");

    var clock = Stopwatch.StartNew();
    EmbeddingMatrix e;
    if (arguments.GetValue(noEncoder)) e = EmbeddingMatrix.Zeros(set.Texts.Length, 384);
    else
    {
        using var sentences = SentenceEncoder.Load(arguments.GetValue(encoder) ?? SentenceEncoder.DefaultFolder, arguments.GetValue(tokens));
        using var cache = new EncoderOutputCache(arguments.GetValue(cacheFolder)!);
        e = cache.GetOrEncode(sentences, set.Texts);
        Console.WriteLine($"encoder outputs          {clock.Elapsed.TotalSeconds,7:F1} s");
        var plain = new EmbeddingMatrix([.. e.Values], e.Dimension);
        for (int row = 0; row < plain.Rows; row++) RowArithmetic.Normalize(plain.Row(row));
        Console.WriteLine($"encoder alone, R@20 / R@50 / N@100: {ColdStart.Evaluate(set, plain)}");
    }

    clock.Restart();
    var shape = new HeadShape(e.Dimension, arguments.GetValue(dimension) ?? e.Dimension, arguments.GetValue(seed), arguments.GetValue(alpha), Pairs: !arguments.GetValue(noPairs));
    var start = Head.Create(shape, set.Texts);
    var words = start.TfIdf(set.Texts);
    Console.WriteLine($"{start.Vocabulary.Words.Count} words, {words.Column.Length / (double)words.Count:F1} a text {clock.Elapsed.TotalSeconds,7:F1} s");
    Console.WriteLine($"untrained head, R@20 / R@50 / N@100: {ColdStart.Evaluate(set, start.Apply(e, words))}");

    int[] warm = [.. Enumerable.Range(0, set.User.Length).Where(n => !set.Cold[set.Item[n]])];
    var interactions = InteractionColumns.Of(set.Users, set.Texts.Length, warm.Select(n => set.User[n]).ToArray(), warm.Select(n => set.Item[n]).ToArray());
    var options = new HeadTrainingOptions
    {
        Steps = arguments.GetValue(steps), ItemsPerStep = arguments.GetValue(itemsPerStep), ProjectionLearningRate = arguments.GetValue(rate),
        WordLearningRate = arguments.GetValue(wordRate), WordDropout = arguments.GetValue(dropout), Seed = arguments.GetValue(seed), Threads = arguments.GetValue(threads),
    };
    clock.Restart();
    var losses = new LossLine(clock);
    var trained = HeadTrainer.Train(start, e, words, interactions, options, TimeProvider.System, losses);
    Console.WriteLine($"{options.Steps} steps {clock.Elapsed.TotalSeconds,7:F1} s");
    clock.Restart();
    var vectors = trained.Apply(e, words);
    Console.WriteLine($"applied to the catalogue {clock.Elapsed.TotalMilliseconds,7:F0} ms");
    var result = ColdStart.Evaluate(set, vectors);
    Console.WriteLine($"trained head, R@20 / R@50 / N@100: {result}   ({result.Users} users)");
});
return command.Parse(args).Invoke();

internal sealed class LossLine(Stopwatch clock) : IProgress<HeadTrainingProgress>
{
    public void Report(HeadTrainingProgress value)
    {
        if (value.Step % 40 == 0 || value.Step == 1) Console.WriteLine($"  step {value.Step,4}   loss {value.Loss:E4}   {value.Users} users   {clock.Elapsed.TotalSeconds,6:F1} s");
    }
}
