using BeeFormer.Streaming.Trainer.Wire;
using Google.Protobuf;
using Grpc.Core;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>Workers that are slow, broken, behind, strangers or liars: the step is done without them, with the same result.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed class WorkerFaultTests
{
    private const int Steps = 4;

    [Theory]
    [InlineData("Embed")]
    [InlineData("BackPropagate")]
    [InlineData("TakeWeights")]
    public async Task A_call_that_breaks_is_tried_three_times_and_then_done_by_another(string call)
    {
        var faults = new Faults { Before = (met, _, _) => met == call ? throw new RpcException(new Status(StatusCode.Unavailable, "broken")) : Task.CompletedTask };
        await StepsAsync(faults, steps: 1);
        // Two shares at once of those who take part; the weights once a step.
        Assert.Contains(faults.Calls(call), call == "TakeWeights" ? [1 + RemoteWorker.Retries] : (int[])[1 + RemoteWorker.Retries, 2 * (1 + RemoteWorker.Retries)]);
    }

    [Theory]
    [InlineData("Join")]
    [InlineData("Embed")]
    [InlineData("BackPropagate")]
    [InlineData("TakeWeights")]
    public async Task A_call_that_breaks_once_is_done_at_the_second_attempt(string call)
    {
        var faults = new Faults { Before = (met, nth, _) => met == call && nth == 1 ? throw new RpcException(new Status(StatusCode.Unavailable, "broken")) : Task.CompletedTask };
        Assert.Equal(1, await StepsAsync(faults));
        Assert.True(faults.Calls(call) >= 2);
        Assert.True(faults.Calls("BackPropagate") > 0);
        Assert.True(call == "Join" ? faults.Calls("Join") == 2 : faults.Calls("Join") == 1);
    }

    [Theory]
    [InlineData("Embed")]
    [InlineData("BackPropagate")]
    public async Task A_slow_worker_is_not_waited_for_beyond_the_deadline(string call)
    {
        var faults = new Faults { Before = (met, _, context) => met == call ? Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.CancellationToken) : Task.CompletedTask };
        Assert.Equal(0, await StepsAsync(faults, steps: 1, deadline: TimeSpan.FromSeconds(5))); // long enough for the calls that are not slow
        Assert.InRange(faults.Calls(call), 1, RemoteWorker.Lanes); // it is not tried again
    }

    [Fact]
    public async Task A_worker_that_is_still_at_earlier_weights_takes_no_part()
    {
        var let = new TaskCompletionSource();
        var faults = new Faults { Before = (met, nth, _) => met == "TakeWeights" && nth == 1 ? let.Task : Task.CompletedTask };
        await using FaultyWorker worker = await FaultyWorker.StartAsync(faults);
        using var training = new SpreadTraining(new WorkersOptions { Endpoints = [worker.Address] }, patient: false);
        await training.JoinAsync();
        for (int n = 0; n < 2; n++) training.Step(n);
        Assert.Equal(0, faults.Calls("Embed"));
        let.SetResult();
        training.Step(2);
        while (training.Workers.Ready.Count == 0) training.Workers.BeginStep();
        training.Step(3);
        Assert.Equal(SpreadTraining.Alone(1, 4), training.Weights);
    }

    [Fact]
    public async Task A_worker_without_the_weights_of_the_step_refuses_and_joins_again()
    {
        var faults = new Faults { ForgetsWeights = true };
        await StepsAsync(faults);
        Assert.Equal(0, faults.Calls("BackPropagate"));
        Assert.True(faults.Calls("Join") > 1);
    }

    public static TheoryData<string, string> Lies => new()
    {
        { "Embed", "short" }, { "Embed", "nothing" }, { "Embed", "NaN" }, { "Embed", "long" }, { "BackPropagate", "short" }, { "BackPropagate", "nothing" }, { "BackPropagate", "NaN" }, { "BackPropagate", "long" },
    };

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task A_worker_that_answers_what_cannot_be_is_left_out(string call, string lie)
    {
        var faults = new Faults { Answer = (met, part) => met == call ? Lie(part, lie) : part };
        Assert.Equal(0, await StepsAsync(faults));
        Assert.InRange(faults.Calls(call), 1, RemoteWorker.Lanes);
        Assert.Equal(1, faults.Calls("Join"));
    }

    private static Part? Lie(Part part, string lie)
    {
        byte[] content = part.Content.ToByteArray();
        if (lie == "NaN") BitConverter.TryWriteBytes(content.AsSpan(content.Length / 8 * 4), float.NaN);
        return lie switch
        {
            "nothing" => null,
            "short" => new Part { Content = ByteString.CopyFrom(content, 0, content.Length - 4) },
            "long" => new Part { Content = ByteString.CopyFrom([.. content, 0, 0, 0, 0]) },
            _ => new Part { Content = ByteString.CopyFrom(content) },
        };
    }

    /// <returns>Workers that are ready at the end.</returns>
    private static async Task<int> StepsAsync(Faults faults, int steps = Steps, TimeSpan? deadline = null)
    {
        await using FaultyWorker worker = await FaultyWorker.StartAsync(faults);
        using var training = new SpreadTraining(new WorkersOptions { Endpoints = [worker.Address], Deadline = deadline ?? TimeSpan.FromMinutes(1) });
        await training.JoinAsync();
        for (int n = 0; n < steps; n++)
        {
            training.Step(n);
            if (n + 1 < steps) await training.Workers.Joining.WaitAsync(TestContext.Current.CancellationToken);
        }
        Assert.Equal(SpreadTraining.Alone(1, steps), training.Weights);
        return training.Workers.Ready.Count;
    }

    [Theory]
    [InlineData(null)]
    [InlineData("another token of 24 chars")]
    public async Task A_stranger_without_the_token_gets_nothing(string? token)
    {
        await using LocalWorker worker = await LocalWorker.StartAsync(new WorkersOptions { Token = "the token of this worker" });
        using (var stranger = new SpreadTraining(new WorkersOptions { Endpoints = [worker.Address], Token = token }))
        {
            await stranger.JoinAsync();
            stranger.Step(0);
            Assert.Empty(stranger.Workers.Ready);
        }
        Assert.Empty(worker.Files);
        using var known = new SpreadTraining(new WorkersOptions { Endpoints = [worker.Address], Token = "the token of this worker" });
        await known.JoinAsync();
        known.Step(0);
        Assert.Single(known.Workers.Ready);
    }

    [Fact]
    public async Task A_trainer_is_no_worker_of_its_own()
    {
        var identity = new WorkerIdentity();
        await using LocalWorker worker = await LocalWorker.StartAsync(identity: identity);
        using var training = new SpreadTraining(new WorkersOptions { Endpoints = [worker.Address] }, identity: identity);
        await training.JoinAsync();
        training.Step(0);
        Assert.Empty(training.Workers.Ready);
    }

    [Fact]
    public async Task A_worker_serves_one_training_at_a_time_and_the_next_when_that_has_left()
    {
        await using LocalWorker worker = await LocalWorker.StartAsync();
        var first = new SpreadTraining(new WorkersOptions { Endpoints = [worker.Address] });
        await first.JoinAsync();
        first.Step(0);
        using var second = new SpreadTraining(new WorkersOptions { Endpoints = [worker.Address] });
        await second.JoinAsync();
        second.Step(0);
        Assert.Single(first.Workers.Ready);
        Assert.Empty(second.Workers.Ready);
        first.Dispose();
        // The worker hears of it in its own time.
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        do
        {
            await second.JoinAsync();
            second.Step(1);
        } while (second.Workers.Ready.Count == 0 && await look.WaitForNextTickAsync(TestContext.Current.CancellationToken));
        Assert.Single(second.Workers.Ready);
    }

    [Fact]
    public async Task A_worker_that_its_trainer_has_forgotten_may_be_taken()
    {
        await using LocalWorker worker = await LocalWorker.StartAsync(new WorkersOptions { Idle = TimeSpan.Zero });
        var first = new SpreadTraining(new WorkersOptions { Endpoints = [worker.Address] });
        await first.JoinAsync();
        first.Step(0);
        using var second = new SpreadTraining(new WorkersOptions { Endpoints = [worker.Address] });
        await second.JoinAsync();
        second.Step(0);
        Assert.Single(second.Workers.Ready);
        first.Step(1);
        Assert.Empty(first.Workers.Ready);
        Assert.Equal(SpreadTraining.Alone(1, 2), first.Weights);
        first.Dispose(); // does not end the other's
        second.Step(1);
        Assert.Single(second.Workers.Ready);
        Assert.Equal(SpreadTraining.Alone(1, 2), second.Weights);
    }
}
