using BeeFormer.Streaming.Encoder;
using FsCheck.Xunit;
using TorchSharp;
using static TorchSharp.torch;

namespace BeeFormer.Streaming.Trainer.Tests;

[Collection(ThreadCountCollection.Name)]
public sealed class EncoderReplicasTests
{
    private static readonly string[] Texts = TinyEncoder.Texts(72);
    private static readonly InteractionMatrix Interactions = TinyEncoder.Tastes(users: 60, items: 72, seed: 3);
    private static readonly TrainingPolicy Policy = new() { EncoderSteps = 6, MaxOutput = 32, EmbedderBatchSize = 5, FrozenLayers = 0, BatchSize = 20, ClipNorm = 0, Arithmetic = TrainingArithmetic.Float32 };
    private static readonly TrainingPolicy OnTwo = Policy with { TrainDistributed = true, Devices = ["cpu", "cpu"] };

    [Property(MaxTest = 8)]
    public void Loss_and_gradients_of_replicas_are_those_of_one_device(byte columnsSeed, byte chunkSeed, byte replicaSeed, byte budgetSeed, bool frozen)
    {
        int columns = 3 + columnsSeed % 30, chunk = 1 + chunkSeed % columns, count = 2 + replicaSeed % 3, layers = frozen ? 1 : 0;
        int[][] tokens;
        (float Loss, Tensor[] Gradients) Run(int devices)
        {
            using SentenceEncoder encoder = TinyEncoder.Load();
            tokens = [.. TinyEncoder.Texts(columns).Select(text => encoder.Tokenize(text))];
            foreach ((_, Tensor value) in encoder.Parameters) value.requires_grad_(false);
            Tensor[] weights = [.. encoder.ParametersAbove(layers).Select(p => p.Value.requires_grad_(true))];
            using FrozenLayers? lower = frozen ? new FrozenLayers(encoder, layers, null, 1 << 20) : null;
            using var replicas = new EncoderReplicas(encoder, [.. Enumerable.Repeat(CPU, devices)], layers);
            var step = new BeeFormerStep(encoder, chunk, 0, budgetSeed * 20_000L, lower, replicas);
            return (step.Accumulate(tokens, BeeFormerStepTests.RandomRows(8, columns, columnsSeed)), [.. weights.Select(w => w.grad!.clone())]);
        }
        using var scope = NewDisposeScope();
        (float one, Tensor[] expected) = Run(1);
        (float several, Tensor[] gradients) = Run(count);
        (float again, Tensor[] repeated) = Run(count);

        Assert.Equal(one, several, 1e-6f);
        float largest = expected.Max(g => g.abs().max().item<float>());
        foreach ((Tensor a, Tensor b) in expected.Zip(gradients)) Assert.True((a - b).abs().max().item<float>() <= 1e-5 * largest);
        Assert.Equal(several, again);
        foreach ((Tensor a, Tensor b) in gradients.Zip(repeated)) Assert.True(a.equal(b).all().item<bool>());
    }

    [Theory]
    [InlineData(Batching.Items, 0)]
    [InlineData(Batching.Users, 0)]
    [InlineData(Batching.Items, 0.5)]
    public void Weights_after_some_steps_are_those_of_one_device_and_bit_for_bit_the_same_when_repeated(Batching batching, double frozen)
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        using SentenceEncoder one = Train(encoder, Policy with { Batching = batching, FrozenLayers = frozen });
        using SentenceEncoder two = Train(encoder, OnTwo with { Batching = batching, FrozenLayers = frozen }), again = Train(encoder, OnTwo with { Batching = batching, FrozenLayers = frozen });
        Assert.Equal(two.Fingerprint, again.Fingerprint);
        Assert.NotEqual(encoder.Fingerprint, two.Fingerprint);
        foreach (((string name, Tensor a), (_, Tensor b)) in one.Parameters.Zip(two.Parameters))
        {
            // The true gradient of a key projection's bias is 0: its steps are rounding noise over ε.
            if (name.Contains("key.bias", StringComparison.Ordinal)) continue;
            Assert.InRange((a - b).abs().max().item<float>(), 0, 1e-5);
        }
    }

    [Fact]
    public void One_device_in_the_list_trains_as_without_a_list()
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        using SentenceEncoder plain = Train(encoder, Policy), listed = Train(encoder, OnTwo with { Devices = ["cpu"] }), distributed = Train(encoder, Policy with { TrainDistributed = true });
        Assert.Equal(plain.Fingerprint, listed.Fingerprint);
        Assert.Equal(plain.Fingerprint, distributed.Fingerprint);
    }

    [Fact]
    public void What_fails_on_a_replica_fails_the_step()
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        using var replicas = new EncoderReplicas(encoder, [CPU, CPU]);
        Assert.Equal("second", Assert.Throws<InvalidOperationException>(() => replicas.ForEach(replica => { if (replica == 1) throw new InvalidOperationException("second"); })).Message);
    }

    [Fact]
    public void Many_steps_leave_no_tensor_behind()
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        using var replicas = new EncoderReplicas(encoder, [CPU, CPU]);
        int[][] tokens = [.. TinyEncoder.Texts(12).Select(text => encoder.Tokenize(text))];
        var step = new BeeFormerStep(encoder, 2, graphBytes: 1 << 20, replicas: replicas);
        var live = new List<long>();
        for (int n = 0; n < 10; n++)
        {
            using (var scope = NewDisposeScope()) step.Accumulate(tokens, BeeFormerStepTests.RandomRows(5, 12, n));
            live.Add(DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
        }
        // Tensors are counted where they were made and let go: of the six chunks the second replica hands three over, which end here.
        for (int n = 4; n < live.Count; n++) Assert.Equal(live[n - 1] - 3, live[n]);
    }

    private static SentenceEncoder Train(SentenceEncoder encoder, TrainingPolicy policy) =>
        EncoderTrainer.Train(encoder, Texts, Interactions, policy, TimeProvider.System, cancellationToken: TestContext.Current.CancellationToken);
}
