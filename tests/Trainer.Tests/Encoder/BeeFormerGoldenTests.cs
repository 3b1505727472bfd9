using System.Text.Json;
using BeeFormer.Streaming.Encoder;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>Training steps recorded from the published code, taken again by ours: same columns, same users, same order.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed class BeeFormerGoldenTests
{
    /// <summary>The published code registers each weight three times with its optimiser.</summary>
    private const double PublishedLrActsTimes = 3;

    public static TheoryData<string> Cases => [.. Load().Cases.Select(c => c.Case)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Embeddings_before_the_first_step_are_the_recorded_ones(string name)
    {
        (CaseFile file, GoldenCase golden) = Find(name);
        using SentenceEncoder encoder = Encoder();
        float[] recorded = Golden.Tensors(Path.Combine(Golden.Folder("beeformer"), $"{name}.safetensors"))["embeddings"];
        EmbeddingMatrix embeddings = encoder.Encode([.. golden.Steps[0].Columns.Select(item => file.Texts[item])], cancellationToken: TestContext.Current.CancellationToken);
        Assert.InRange(LargestDifference(recorded, embeddings.Values), 0, 1e-5);
    }

    public static TheoryData<string, int> CasesAndReplicas
    {
        get
        {
            var all = new TheoryData<string, int>();
            foreach (string name in Load().Cases.Select(c => c.Case))
                foreach (int replicas in (int[])[1, 2]) all.Add(name, replicas);
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(CasesAndReplicas))]
    public void Loss_gradients_and_weights_are_the_recorded_ones(string name, int replicaCount)
    {
        (CaseFile file, GoldenCase golden) = Find(name);
        Assert.SkipWhen(golden.TopK > 0, "The published top_k learns nothing; ours deliberately differs and has a test of its own.");
        Dictionary<string, float[]> recorded = Golden.Tensors(Path.Combine(Golden.Folder("beeformer"), $"{name}.safetensors"));
        using SentenceEncoder encoder = Encoder();
        using var replicas = new EncoderReplicas(encoder, [.. Enumerable.Repeat(CPU, replicaCount)]);
        var step = new BeeFormerStep(encoder, golden.EmbedderBatchSize, golden.TopK, replicas: replicas);
        Compare(file, golden, encoder, (tokens, x) => step.Accumulate(tokens, x), recorded);
    }

    public static TheoryData<string, int> CasesAndWorkers
    {
        get
        {
            var all = new TheoryData<string, int>();
            foreach (string name in Load().Cases.Where(c => c.TopK == 0).Select(c => c.Case))
                foreach (int workers in (int[])[1, 3]) all.Add(name, workers);
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(CasesAndWorkers))]
    public async Task Loss_gradients_and_weights_over_workers_are_the_recorded_ones(string name, int workerCount)
    {
        (CaseFile file, GoldenCase golden) = Find(name);
        Dictionary<string, float[]> recorded = Golden.Tensors(Path.Combine(Golden.Folder("beeformer"), $"{name}.safetensors"));
        LocalWorker[] others = await LocalWorker.SomeAsync(workerCount);
        using (SentenceEncoder encoder = Encoder())
        {
            using var own = new PatientEncoder(encoder, null, [.. encoder.Parameters.Select(p => p.Value)], new GraphMemory(0, 0));
            using var workers = new TrainingWorkers(new WorkersOptions { Endpoints = [.. others.Select(other => other.Address)] }, new WorkerIdentity(), encoder, 0,
                new TrainingPolicy { Arithmetic = TrainingArithmetic.Float32 }, own, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
            workers.BeginStep();
            await workers.Joining.WaitAsync(TestContext.Current.CancellationToken);
            own.Workers = workers;
            // Two texts a chunk: one chunk alone would be nobody's but this machine's.
            var step = new BeeFormerStep(encoder, 2, golden.TopK, workers: workers);
            Compare(file, golden, encoder, (tokens, x) => step.Accumulate(tokens, own.Waiting(step.LossOf(x))), recorded);
            Assert.Equal(workerCount, workers.Ready.Count);
            Assert.True(workers.Bytes.Received > 0);
        }
        foreach (LocalWorker other in others) await other.DisposeAsync();
    }

    private static void Compare(CaseFile file, GoldenCase golden, SentenceEncoder encoder, Func<int[][], Tensor, float> accumulate, Dictionary<string, float[]> recorded)
    {
        using var scope = NewDisposeScope();
        using var optimizer = new NAdam([.. encoder.Parameters.Select(p => p.Value)]);
        for (int n = 0; n < golden.Steps.Count; n++)
        {
            float loss = accumulate([.. golden.Steps[n].Columns.Select(item => encoder.Tokenize(file.Texts[item]))], X(file, golden, golden.Steps[n]));
            Assert.InRange(Math.Abs(loss - golden.Steps[n].Loss), 0, 1e-6);
            if (n == 0) CompareGradients(encoder, recorded);
            optimizer.Step(golden.Lr * PublishedLrActsTimes);
            if (n == 0) CompareWeights(encoder, recorded, 1);
        }
        CompareWeights(encoder, recorded, golden.Steps.Count);
    }

    [Fact]
    public void Top_k_learns_where_the_published_one_cannot()
    {
        CaseFile file = Load();
        GoldenCase golden = file.Cases.First(c => c.TopK > 0);
        using SentenceEncoder encoder = Encoder();
        using var scope = NewDisposeScope();
        using var optimizer = new NAdam([.. encoder.Parameters.Select(p => p.Value)]);
        var step = new BeeFormerStep(encoder, golden.EmbedderBatchSize, golden.TopK);
        int[][] tokens = [.. golden.Steps[0].Columns.Select(item => encoder.Tokenize(file.Texts[item]))];
        Tensor x = X(file, golden, golden.Steps[0]);

        var losses = new List<float>();
        for (int n = 0; n < 60; n++)
        {
            losses.Add(step.Accumulate(tokens, x));
            optimizer.Step(0.002);
        }
        Assert.True(losses[^1] < losses[0] * 0.9, $"losses: {string.Join(' ', losses)}");
    }

    private static void CompareGradients(SentenceEncoder encoder, Dictionary<string, float[]> recorded)
    {
        Dictionary<string, float[]> gradients = OfEncoder(recorded, "gradient.");
        Assert.NotEmpty(gradients);
        double largest = gradients.Values.Max(values => values.Max(Math.Abs));
        foreach ((string name, Tensor value) in encoder.Parameters)
            if (gradients.TryGetValue(name, out float[]? expected))
                Assert.True(LargestDifference(expected, value.grad!.data<float>().ToArray()) <= 1e-4 * largest, $"gradient of {name}");
        Assert.Subset(encoder.Parameters.Select(p => p.Name).ToHashSet(), gradients.Keys.ToHashSet());
    }

    private static void CompareWeights(SentenceEncoder encoder, Dictionary<string, float[]> recorded, int step)
    {
        Dictionary<string, float[]> weights = OfEncoder(recorded, $"weights_after_{step}.");
        Assert.NotEmpty(weights);
        foreach ((string name, Tensor value) in encoder.Parameters)
        {
            if (!weights.TryGetValue(name, out float[]? expected)) continue;
            // The true gradient of a key projection's bias is 0: its steps are rounding noise over ε.
            double tolerance = name.Contains("key.bias", StringComparison.Ordinal) ? 1e-4 : 1e-5;
            double difference = LargestDifference(expected, value.data<float>().ToArray());
            Assert.True(difference <= tolerance, $"{name} after step {step} differs by {difference}");
        }
    }

    /// <summary>Tensors under a prefix, by their names in model.safetensors (the recording calls its transformer <c>0.model</c>).</summary>
    private static Dictionary<string, float[]> OfEncoder(Dictionary<string, float[]> recorded, string prefix) =>
        recorded.Where(t => t.Key.StartsWith(prefix, StringComparison.Ordinal) && !t.Key.Contains("pooler", StringComparison.Ordinal))
            .ToDictionary(t => t.Key[prefix.Length..].Replace("0.model.", "", StringComparison.Ordinal), t => t.Value);

    private static Tensor X(CaseFile file, GoldenCase golden, GoldenStep step)
    {
        var x = new float[step.Users.Length * step.Columns.Length];
        foreach (double[] interaction in file.Interactions)
        {
            int row = Array.IndexOf(step.Users, (int)interaction[0]), column = Array.IndexOf(step.PositiveItems, (int)interaction[1]);
            if (row >= 0) x[row * step.Columns.Length + column] = golden.Case.Contains("weighted", StringComparison.Ordinal) ? (float)interaction[2] : 1;
        }
        return tensor(x, step.Users.Length, step.Columns.Length);
    }

    private static double LargestDifference(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        return expected.Zip(actual, (e, a) => Math.Abs((double)e - a)).Max();
    }

    private static SentenceEncoder Encoder() => SentenceEncoder.Load(Path.Combine(Golden.Folder("beeformer"), "encoder"));

    private static (CaseFile File, GoldenCase Case) Find(string name)
    {
        CaseFile file = Load();
        return (file, file.Cases.Single(c => c.Case == name));
    }

    private static readonly JsonSerializerOptions SnakeCase = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private static CaseFile Load() =>
        JsonSerializer.Deserialize<CaseFile>(File.ReadAllText(Path.Combine(Golden.Folder("beeformer"), "cases.json")), SnakeCase)!;

    private sealed record CaseFile(string[] Texts, double[][] Interactions, List<GoldenCase> Cases);

    private sealed record GoldenCase(string Case, double Lr, int TopK, int EmbedderBatchSize, List<GoldenStep> Steps);

    private sealed record GoldenStep(int[] Users, int[] PositiveItems, int[] NegativeItems, double Loss)
    {
        public int[] Columns => [.. PositiveItems, .. NegativeItems];
    }
}
