using BeeFormer.Streaming.Encoder;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>Steps on this machine and its workers: the same result, whoever is there.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed class SpreadPassTests
{
    [Theory]
    [InlineData(1, 0, 0)]
    [InlineData(3, 0, 0)]
    [InlineData(3, 1, 0)]
    [InlineData(2, 0, 64)]
    public async Task Weights_are_those_of_a_step_without_workers_bit_for_bit(int count, int frozen, int graphMb)
    {
        LocalWorker[] workers = await LocalWorker.SomeAsync(count);
        using (var training = new SpreadTraining(new WorkersOptions { Endpoints = [.. workers.Select(worker => worker.Address)] }, frozen, (long)graphMb << 20))
        {
            await training.JoinAsync();
            for (int n = 0; n < 4; n++)
            {
                training.Step(n);
                Assert.Equal(count, training.Workers.Ready.Count);
            }
            Assert.True(training.Workers.Bytes.Received > 0);
            Assert.Equal(SpreadTraining.Alone(count, 4, frozen), training.Weights);
        }
        foreach (LocalWorker worker in workers) await worker.DisposeAsync();
    }

    /// <summary>
    /// Against one device without shares: gradients are added in another order, so each may differ by some 1e-7 of the largest. NAdam divides by the gradient's own size: where that is near 0 a step of
    /// lr = 2e-4 may differ by a share of itself, and 30 steps by 30 such shares. 3e-5 is half a percent of what 30 steps move a weight at most (30 · 2e-4).
    /// </summary>
    private const float WithinRounding = 3e-5f;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Workers_that_come_and_go_at_random_change_nothing(int seed)
    {
        const int steps = 30;
        var random = new Random(seed);
        LocalWorker[] workers = await LocalWorker.SomeAsync(3);
        float[][] weights;
        using (var training = new SpreadTraining(new WorkersOptions { Endpoints = [.. workers.Select(worker => worker.Address)] }))
        {
            int helped = 0, lost = 0;
            for (int n = 0; n < steps; n++)
            {
                await TurnAsync();
                if (random.Next(3) > 0) await training.JoinAsync();
                long before = training.Workers.Bytes.Received;
                int ready = 0;
                training.Step(n, () =>
                {
                    ready = training.Workers.Ready.Count;
                    if (random.Next(3) == 0 && workers[random.Next(workers.Length)] is { IsUp: true } one) one.DownAsync().GetAwaiter().GetResult();
                });
                if (training.Workers.Bytes.Received > before) helped++;
                if (training.Workers.Ready.Count < ready) lost++;
            }
            weights = training.Weights;
            Assert.True(helped > steps / 4, $"Workers helped in {helped} steps only.");
            Assert.True(lost > 0, "No worker went in the middle of a step.");
        }
        Assert.Equal(SpreadTraining.Alone(3, steps), weights);

        using SentenceEncoder encoder = TinyEncoder.Load();
        using (var optimizer = new NAdam([.. encoder.Parameters.Select(p => p.Value)]))
        {
            var step = new BeeFormerStep(encoder, 2);
            int[][] tokens = [.. TinyEncoder.Texts(24).Select(text => encoder.Tokenize(text))];
            for (int n = 0; n < steps; n++)
            {
                using var scope = NewDisposeScope();
                step.Accumulate(tokens, BeeFormerStepTests.RandomRows(8, 24, n));
                optimizer.Step(2e-4, maxNorm: 1);
            }
        }
        foreach (((string name, Tensor one), float[] several) in encoder.Parameters.Zip(weights))
        {
            // The true gradient of a key projection's bias is 0: its steps are rounding noise over ε.
            if (name.Contains("key.bias", StringComparison.Ordinal)) continue;
            float difference = one.data<float>().ToArray().Zip(several, (a, b) => Math.Abs(a - b)).Max();
            Assert.True(difference <= WithinRounding, $"{name} differs by {difference}");
        }
        foreach (LocalWorker worker in workers) await worker.DisposeAsync();

        async Task TurnAsync()
        {
            foreach (LocalWorker worker in workers)
                if (random.Next(4) == 0) await (worker.IsUp ? worker.DownAsync() : worker.UpAsync());
        }
    }

    [Fact]
    public async Task Many_steps_leave_no_tensor_behind_here_nor_at_a_worker()
    {
        await using FaultyWorker worker = await FaultyWorker.StartAsync(new Faults());
        using var training = new SpreadTraining(new WorkersOptions { Endpoints = [worker.Address] }, graphBytes: 1 << 20);
        await training.JoinAsync();
        // Tensors are counted by thread, and a test may go on on another one after each await.
        List<(long Here, long There)> live = await Task.Factory.StartNew(() => LiveTensors(worker, training), TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        // The first steps make the gradients.
        Assert.Equal(live[3].Here, live[^1].Here);
        // Graphs that another took over stay until the next step: at most one for each of the twelve chunks.
        Assert.InRange(live[^1].There, live[3].There - 12, live[3].There + 12);
    }

    private static List<(long Here, long There)> LiveTensors(FaultyWorker worker, SpreadTraining training)
    {
        var live = new List<(long, long)>();
        for (int n = 0; n < 20; n++)
        {
            training.Step(n);
            Assert.Single(training.Workers.Ready);
            live.Add((DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount, worker.Seat.Thread.RunAsync(() => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount).GetAwaiter().GetResult()));
        }
        return live;
    }

    [Theory]
    [InlineData(Batching.Items, 0.5, HeadKind.None)]
    [InlineData(Batching.Users, 0, HeadKind.None)]
    [InlineData(Batching.Items, 0.5, HeadKind.Words)]
    public async Task A_whole_training_is_that_of_one_machine(Batching batching, double frozen, HeadKind headKind)
    {
        await using LocalWorker worker = await LocalWorker.StartAsync();
        string[] texts = TinyEncoder.Texts(72);
        InteractionMatrix interactions = TinyEncoder.Tastes(users: 60, items: 72, seed: 3);
        var policy = new TrainingPolicy { EncoderSteps = 40, MaxOutput = 32, EmbedderBatchSize = 5, FrozenLayers = frozen, Batching = batching, BatchSize = 20, ClipNorm = 0, Arithmetic = TrainingArithmetic.Float32, TrainDistributed = true };
        using SentenceEncoder encoder = TinyEncoder.Load();
        Head? head = headKind == HeadKind.None ? null : ModelTraining.NewHead(encoder.Dimension, texts, texts, policy);
        using SentenceEncoder alone = SpreadTraining.OnOneThread(() => Train("http://127.0.0.1:1")), helped = SpreadTraining.OnOneThread(() => Train(worker.Address));
        Assert.Equal(alone.Fingerprint, helped.Fingerprint);
        Assert.NotEqual(encoder.Fingerprint, helped.Fingerprint);
        // Nothing but what the frozen layers give stays at the worker.
        Assert.All(worker.Files, file => Assert.EndsWith(".lower", file, StringComparison.Ordinal));

        SentenceEncoder Train(string endpoint)
        {
            var options = new WorkersOptions { Endpoints = [endpoint] };
            var directory = new WorkerDirectory(Microsoft.Extensions.Options.Options.Create(options), new WorkerIdentity(), TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance);
            return EncoderTrainer.Train(encoder, head, texts, interactions, policy, TimeProvider.System, null, null, TestContext.Current.CancellationToken, workers: directory).Encoder;
        }
    }

    [Fact]
    public void Shares_hold_every_chunk_once_in_order_and_about_as_many_tokens_each()
    {
        var random = new Random(1);
        for (int round = 0; round < 200; round++)
        {
            int[][][] chunks = [.. Enumerable.Range(0, 1 + random.Next(40)).Select(_ => new int[][] { new int[1 + random.Next(100)] })];
            int count = 1 + random.Next(12);
            Share[] shares = Share.Cut(chunks, count);
            Assert.InRange(shares.Length, 1, count);
            Assert.Equal(Enumerable.Range(0, chunks.Length), shares.SelectMany(share => share.Chunks));
            Assert.All(shares, share => Assert.True(share.End > share.First));
            double even = chunks.Sum(chunk => chunk[0].Length) / (double)count;
            Assert.All(shares, share => Assert.True(share.Chunks.Sum(n => chunks[n][0].Length) <= even + 100));
        }
    }
}
