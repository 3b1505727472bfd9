using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Logging.Abstractions;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class ResumeTests : IDisposable
{
    private const int Steps = 6;
    private static readonly string[] Texts = TinyEncoder.Texts(72);
    private static readonly InteractionMatrix Interactions = TinyEncoder.Tastes(users: 60, items: 72, seed: 3);
    private static readonly TrainingPolicy Items = new() { EncoderSteps = Steps, MaxOutput = 40, Lr = 3e-3, FrozenLayers = 0.5, BatchSize = 20, CheckpointEvery = TimeSpan.FromSeconds(2) };

    private readonly string _folder = Directory.CreateTempSubdirectory("resume-tests-").FullName;
    private readonly TrainingCheckpoints _checkpoints;

    public ResumeTests() => _checkpoints = new TrainingCheckpoints(_folder);

    public static TheoryData<Batching, bool, bool> Ways => new() { { Batching.Items, false, false }, { Batching.Users, false, false }, { Batching.Items, true, false }, { Batching.Items, true, true }, { Batching.Users, false, true } };

    [Theory]
    [MemberData(nameof(Ways))]
    public void Stopped_at_any_step_and_resumed_the_weights_are_those_of_one_run(Batching batching, bool headInLoop, bool validated)
    {
        TrainingPolicy policy = Items with { Batching = batching, ValidateEvery = 2, CheckpointEvery = TimeSpan.FromHours(1) };
        (string, string?) straight = Run(policy, headInLoop, validated, null, stopAt: null);
        for (int step = 1; step < Steps; step++)
        {
            Assert.Throws<OperationCanceledException>(() => Run(policy, headInLoop, validated, Begin(policy), stopAt: step));
            Assert.Equal(step, _checkpoints.Find()!.Training!.Counters.Step);
            Assert.Equal(straight, Run(policy, headInLoop, validated, Found(), stopAt: null));
        }
    }

    [Fact]
    public void Stopped_again_and_again_the_weights_are_those_of_one_run()
    {
        (string, string?) straight = Run(Items, headInLoop: true, validated: true, null, stopAt: null);
        Assert.Throws<OperationCanceledException>(() => Run(Items, true, true, Begin(Items), stopAt: 1));
        foreach (int step in (int[])[2, 3, 5]) Assert.Throws<OperationCanceledException>(() => Run(Items, true, true, Found(), stopAt: step));
        Assert.Equal(straight, Run(Items, true, true, Found(), stopAt: null));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Killed_between_two_checkpoints_it_goes_on_from_the_last_one(bool headInLoop)
    {
        (string, string?) straight = Run(Items, headInLoop, validated: false, null, stopAt: null);
        Assert.Throws<ProcessKilled>(() => Run(Items, headInLoop, false, Begin(Items), stopAt: null, killAt: 5));
        Assert.Equal(4, _checkpoints.Find()!.Training!.Counters.Step); // a second a step
        Assert.Equal(TimeSpan.FromSeconds(4), _checkpoints.Find()!.Training!.Elapsed);
        Assert.Equal(straight, Run(Items, headInLoop, false, Found(), stopAt: null));
        Assert.True(_checkpoints.Find()!.Training!.Ended);
        Assert.Equal(straight, Run(Items, headInLoop, false, Found(), stopAt: null, killAt: 1)); // no step is left
    }

    [Fact]
    public void Time_that_has_run_counts_against_the_budget()
    {
        TrainingPolicy policy = Items with { MaxDuration = TimeSpan.FromSeconds(5) };
        Assert.Throws<ProcessKilled>(() => Run(policy, false, false, Begin(policy), stopAt: null, killAt: 4));
        var steps = new List<int>();
        Run(policy, false, false, Found(), stopAt: null, told: p => steps.Add(p.Step));
        Assert.Equal([3, 4, 5], steps);
        Assert.True(_checkpoints.Find()!.Training!.Ended);
    }

    [Fact]
    public void A_crash_while_a_checkpoint_is_written_leaves_the_one_before_it_or_the_new_one()
    {
        (string, string?) straight = Run(Items, false, false, null, stopAt: null);
        bool ended = false;
        for (int nth = 1; !ended; nth++)
        {
            _checkpoints.Remove();
            Assert.Throws<ProcessKilled>(() => Run(Items, false, false, Begin(Items), stopAt: null, killAt: 3));
            File.WriteAllText(Path.Combine(_folder, "encoder-torn.safetensors.tmp"), "{"); // weights that were not yet named
            int left = nth;
            using (DiskChange.Watch((_, _) => { if (--left == 0) throw new ProcessKilled(); }))
                ended = Record.Exception(() => Run(Items, false, false, Found(), stopAt: null)) is not ProcessKilled;
            Assert.Contains(_checkpoints.Find()!.Training!.Counters.Step, (int[])[2, 4, 6]);
            Assert.Equal(straight, Run(Items, false, false, Found(), stopAt: null));
            Assert.InRange(nth, 1, 30);
        }
        Assert.Equal(2, Directory.GetFiles(_folder).Length);
    }

    [Fact]
    public void A_disk_that_is_full_ends_no_training()
    {
        (string, string?) straight = Run(Items, false, false, null, stopAt: null);
        using (DiskChange.Watch((_, path) => { if (path.StartsWith(_folder, StringComparison.Ordinal)) throw new IOException("No space left on device"); }))
            Assert.Equal(straight, Run(Items, false, false, Begin(Items), stopAt: null));
        Assert.Null(_checkpoints.Find());
    }

    [Fact]
    public void Damage_is_named_and_nothing_is_taken_from_it()
    {
        Assert.Throws<OperationCanceledException>(() => Run(Items, false, false, Begin(Items), stopAt: 2));
        string weights = Directory.GetFiles(_folder, "*.safetensors").Single(), name = Path.Combine(_folder, "encoder.json");
        byte[] bytes = File.ReadAllBytes(weights), named = File.ReadAllBytes(name);
        Guid id = _checkpoints.Find()!.TrainingId!.Value;
        for (int at = 0; at < bytes.Length; at += bytes.Length / 7)
        {
            byte[] damaged = [.. bytes];
            damaged[at] ^= 4;
            File.WriteAllBytes(weights, damaged);
            AssertDamaged(weights, id);
        }
        File.WriteAllBytes(weights, bytes[..^1]);
        AssertDamaged(weights, id);
        File.Delete(weights);
        AssertDamaged(weights, id);
        File.WriteAllBytes(weights, bytes);
        foreach (byte[] wrong in (byte[][])[named[..^1], [], "null"u8.ToArray(), "[1]"u8.ToArray(), "{}"u8.ToArray()])
        {
            File.WriteAllBytes(name, wrong);
            AssertDamaged(name, null);
        }
        File.WriteAllBytes(name, named);
        Assert.Null(_checkpoints.Find()!.Problem);
        _checkpoints.Remove();
        Assert.Empty(Directory.GetFiles(_folder));
        Assert.Null(_checkpoints.Find());
    }

    [Fact]
    public void A_checkpoint_of_another_training_is_named_and_the_training_begins_anew()
    {
        Assert.Throws<OperationCanceledException>(() => Run(Items, headInLoop: false, false, Begin(Items), stopAt: 2));
        EncoderCheckpoint foreign = Found();
        Assert.Equal(Run(Items, headInLoop: true, true, null, stopAt: null), Run(Items, headInLoop: true, true, foreign, stopAt: null));
        Assert.Contains("head/projection", foreign.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_that_leads_nowhere_is_given_up()
    {
        Assert.Throws<OperationCanceledException>(() => Run(Items, false, false, Begin(Items), stopAt: 2));
        for (int n = 0; n < 3; n++) Assert.True(_checkpoints.TryBegin(_checkpoints.Find()!));
        Assert.False(_checkpoints.TryBegin(_checkpoints.Find()!));
        _checkpoints.ForgetAttempts();
        for (int n = 0; n < 3; n++) Assert.True(_checkpoints.TryBegin(_checkpoints.Find()!));
        Assert.Throws<OperationCanceledException>(() => Run(Items, false, false, Found(), stopAt: 3));
        Assert.True(_checkpoints.TryBegin(_checkpoints.Find()!)); // it came further
    }

    private void AssertDamaged(string file, Guid? id)
    {
        Interruption found = _checkpoints.Find()!;
        Assert.Contains(file, found.Problem, StringComparison.Ordinal);
        Assert.Null(found.Training);
        Assert.Equal(id, found.TrainingId);
    }

    private readonly CancellationTokenSource _never = new();
    private CancellationTokenSource _stop = new();

    private EncoderCheckpoint Begin(TrainingPolicy policy) => Checkpoint(new CheckpointedTraining(Guid.NewGuid(), "live", "start", "window", new WindowQuery(), new Dictionary<int, long>(), "catalogue", policy,
        new EncoderCounters(0, 0, 0, 1), TimeSpan.Zero, false, null), null);

    private EncoderCheckpoint Found()
    {
        Interruption found = _checkpoints.Find()!;
        Assert.Null(found.Problem);
        return Checkpoint(found.Training!, found.File);
    }

    private EncoderCheckpoint Checkpoint(CheckpointedTraining training, string? from)
    {
        _stop = new CancellationTokenSource();
        return new EncoderCheckpoint(_checkpoints, training, from, NullLogger.Instance, _stop.Token);
    }

    /// <returns>Fingerprints of encoder and head.</returns>
    private (string, string?) Run(TrainingPolicy policy, bool headInLoop, bool validated, EncoderCheckpoint? checkpoint, int? stopAt, int? killAt = null, Action<EncoderTrainingProgress>? told = null)
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        Head? head = headInLoop ? Head.Create(encoder.Dimension, Texts, seed: 1) : null;
        EarlyStopping? stopping = validated ? new EarlyStopping(ValidationSlice.Of(Split(), policy), policy) : null;
        var progress = new ImmediateProgress<EncoderTrainingProgress>(p =>
        {
            told?.Invoke(p);
            if (p.Step == killAt) throw new ProcessKilled();
            if (p.Step == stopAt) _stop.Cancel();
        });
        (SentenceEncoder trained, Head? learned) = EncoderTrainer.Train(encoder, head, Texts, Interactions, policy, new SteppingClock(TimeSpan.FromSeconds(1)), null, progress,
            checkpoint is null ? _never.Token : _stop.Token, stopping, checkpoint);
        using (trained) return (trained.Fingerprint.Value, learned?.Fingerprint.Value);
    }

    /// <summary>Every user is asked for what is missing of its taste.</summary>
    internal static WindowSplit Split()
    {
        int[] users = [.. Enumerable.Range(0, Interactions.Users)];
        return new WindowSplit(Interactions, 0, users, [.. users.Select(user => (IReadOnlySet<int>)Enumerable.Range(0, Interactions.Items).Where(item => item % 6 == user % 6 && !Interactions.ItemsOf(user).Contains(item)).ToHashSet())], new bool[Interactions.Items]);
    }

    public void Dispose()
    {
        _never.Dispose();
        _stop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private sealed class ProcessKilled : Exception;
}
