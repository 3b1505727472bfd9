using System.Diagnostics;
using System.Globalization;
using BeeFormer.Streaming.Encoder;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class StepMemoryTests
{
    private const string Result = "BEEFORMER_TEST_MEMORY", Limit = "BEEFORMER_TEST_MAX_MEMORY";
    private static readonly TrainingPolicy Policy = new() { MaxOutput = 3000, EncoderSteps = 2, FrozenLayers = 0, EmbedderBatchSize = 4096, GraphMemoryMb = 4096 };

    [Fact]
    public void Without_a_bound_a_step_takes_what_the_policy_says()
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        Assert.Equal(new StepMemory((long)new TrainingPolicy().GraphMemoryMb << 20, StepMemory.DefaultChunkTokens, StepMemory.DefaultLossEntries), StepMemory.Of(new TrainingPolicy(), encoder, 256, 1, resident: 0));
    }

    [Fact]
    public void A_tighter_bound_never_gives_a_step_more_and_what_it_gives_adds_up_to_less_than_the_bound()
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        StepMemory? before = null;
        for (int limit = 4096; limit >= 384; limit -= 64)
        {
            StepMemory memory = StepMemory.Of(Policy with { MaxMemory = limit }, encoder, 3000, 1, resident: 256L << 20);
            if (before is not null)
                Assert.True(memory.GraphBytes <= before.GraphBytes && memory.ChunkTokens <= before.ChunkTokens && memory.LossEntries <= before.LossEntries, $"{limit}: {memory} after {before}");
            Assert.True(memory.GraphBytes + memory.ChunkTokens * StepMemory.GraphBytesPerToken(encoder) + memory.LossEntries * StepMemory.LossBytesPerEntry <= (limit - 256L) << 20, $"{limit}: {memory}");
            Assert.True(memory.ChunkTokens >= encoder.MaxSequenceLength && memory.LossEntries >= 3000);
            before = memory;
        }
    }

    [Fact]
    public void Replicas_share_the_bound()
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        TrainingPolicy policy = Policy with { MaxMemory = 420 };
        Assert.True(StepMemory.Of(policy, encoder, 256, 4, 256L << 20).ChunkTokens < StepMemory.Of(policy, encoder, 256, 1, 256L << 20).ChunkTokens);
    }

    [Fact]
    public void A_bound_that_nothing_fits_is_refused_with_what_would_be_needed()
    {
        using SentenceEncoder encoder = TinyEncoder.Load();
        string message = Assert.Throws<InsufficientMemoryException>(() => StepMemory.Of(Policy with { MaxMemory = 256 }, encoder, 256, 1, resident: 256L << 20)).Message;
        Assert.StartsWith("max_memory is 256 MiB; this training needs 32", message, StringComparison.Ordinal);
        Assert.Contains("max_seq_length", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_head_learns_from_fewer_users_a_step_or_is_refused()
    {
        Head head = Head.Create(32, TinyEncoder.Texts(72), seed: 1);
        var options = new HeadTrainingOptions();
        Assert.Equal(options, StepMemory.Bound(options, Policy, head, 256L << 20));
        int users = StepMemory.Bound(options, Policy with { MaxMemory = 330 }, head, 256L << 20).MaxUsersPerStep;
        Assert.InRange(users, 64, options.MaxUsersPerStep - 1);
        Assert.Contains("head_output", Assert.Throws<InsufficientMemoryException>(() => StepMemory.Bound(options, Policy with { MaxMemory = 300 }, head, 256L << 20)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_training_keeps_within_its_bound_where_it_would_have_taken_far_more()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc.");
        (long start, long free) = await InAProcessOfItsOwn(limit: null);
        long limit = start + 200;
        (_, long bounded) = await InAProcessOfItsOwn(limit);
        Assert.True(free > limit + 100, $"Unbounded it took {free} MiB, of which {start} before it began: the bound of {limit} would show nothing.");
        Assert.True(bounded <= limit + 40, $"{bounded} MiB were resident; {limit} were allowed.");
    }

    /// <summary>For the test above, which starts it in a process of its own.</summary>
    [Fact(Explicit = true)]
    public void One_training_in_this_process()
    {
        string? file = Environment.GetEnvironmentVariable(Result);
        Assert.SkipWhen(file is null, $"Needs {Result}.");
        int? limit = Environment.GetEnvironmentVariable(Limit) is { Length: > 0 } given ? int.Parse(given, CultureInfo.InvariantCulture) : null;
        using SentenceEncoder encoder = TinyEncoder.Load();
        InteractionMatrix interactions = TinyEncoder.Tastes(users: 3000, items: 3000, seed: 1);
        string[] texts = [.. TinyEncoder.Texts(3000).Select(text => string.Join(' ', Enumerable.Repeat(text, 3)))];
        Train(new TrainingPolicy { MaxOutput = 2, EncoderSteps = 1 }); // what loading takes, once
        long before = Resident("VmRSS");
        Train(Policy with { MaxMemory = limit });
        File.WriteAllText(file, $"{before} {Resident("VmHWM")}");

        void Train(TrainingPolicy policy) => EncoderTrainer.Train(encoder, texts, interactions, policy, TimeProvider.System, cancellationToken: TestContext.Current.CancellationToken).Dispose();
    }

    /// <returns>MiB before the training began, and at most.</returns>
    private static async Task<(long Before, long Peak)> InAProcessOfItsOwn(long? limit)
    {
        string file = Path.GetTempFileName();
        try
        {
            var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "BeeFormer.Streaming.Trainer.Tests")) { RedirectStandardOutput = true };
            foreach (string argument in (string[])["-method", $"*.{nameof(StepMemoryTests)}.{nameof(One_training_in_this_process)}", "-explicit", "only"]) start.ArgumentList.Add(argument);
            start.Environment[Result] = file;
            start.Environment[Limit] = limit?.ToString(CultureInfo.InvariantCulture);
            using Process process = Process.Start(start)!;
            string said = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(process.ExitCode == 0, said);
            long[] measured = [.. File.ReadAllText(file).Split(' ').Select(number => long.Parse(number, CultureInfo.InvariantCulture))];
            return (measured[0], measured[1]);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static long Resident(string key) =>
        long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith(key, StringComparison.Ordinal)).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
}
