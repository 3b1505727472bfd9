using System.Collections.Concurrent;
using System.Globalization;
using BeeFormer.Streaming.Clocks;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.ServiceDefaults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace BeeFormer.Streaming.Trainer.Tests;

/// <summary>Two Trainers on one store. The clock of a Trainer's leases stands still where it hangs: it renews nothing, and does not know that it is late.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed class TrainerTakeoverTests : IDisposable
{
    private static readonly TrainingPolicy Endless = new() { HeadSteps = 1_000_000, HeadOutput = 64 };
    private const string Short = "head_steps: 40\nhead_output: 64\n";
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly ShopFolder _shop = new();
    private readonly LookClock _firstClock = new(), _secondClock = new();
    private readonly ConcurrentBag<object> _told = [];

    public TrainerTakeoverTests()
    {
        _shop.MakeBaseLive();
        _shop.Buy(seed: 1);
    }

    public void Dispose() => _shop.Dispose();

    [Fact]
    public async Task One_hangs_and_the_other_takes_over_what_waits_and_what_was_asked_for_by_hand()
    {
        using IHost first = Host(_firstClock), second = Host(_secondClock);
        await first.StartAsync(Token);
        await second.StartAsync(Token);
        string[] before = _shop.ModelFiles();
        TrainingRecord running = Ask(0);
        await UntilAsync(() => _shop.Trainings.Find(running.Id) is { State: TrainingState.Running, Phase: "train" });
        TrainingRecord waiting = Ask(1, Short), cancelled = Ask(2, cancel: true);
        Assert.Equal(before, _shop.ModelFiles());
        Assert.All([waiting, cancelled], one => Assert.Equal(TrainingState.Queued, _shop.Trainings.Find(one.Id)!.State));

        await TakenOverAsync(_secondClock, from: Holder);
        await UntilAsync(() => State(running) == TrainingState.Interrupted);
        await UntilAsync(() => _shop.Trainings.List().Any(record => record is { State: TrainingState.Running, Phase: "train" } && record.Continues == running.Id)); // on the second
        TrainingRecord anew = _shop.Trainings.List().Single(record => record.Continues == running.Id);
        Assert.Equal(("resume", "head"), (anew.Reason, anew.Tempo));
        second.Services.GetRequiredService<TrainingQueue>().Cancel(anew.Id);
        await UntilAsync(() => _shop.Trainings.List().All(record => record.Ended));
        Assert.Equal((TrainingState.Published, TrainingState.Cancelled, TrainingState.Cancelled), (State(waiting), State(cancelled), State(anew)));
        ModelVersion live = _shop.Models.Live!.Value;

        // The zombie wakes and ends its training: by its lease's own time, or when it wants to write.
        _firstClock.Advance(TimeSpan.FromSeconds(30));
        await first.StopAsync(Token);
        await second.StopAsync(Token);
        Assert.Equal(live, _shop.Models.Live);
        Assert.Equal(2, _shop.Models.List().Count);
        Assert.Equal(TrainingState.Interrupted, State(running));
        Assert.Equal(4, _shop.Trainings.List().Count);
        AssertToldOnce();
    }

    [Fact]
    public async Task One_that_loses_its_lease_while_it_starts_stands_by()
    {
        string elsewhere = Directory.CreateTempSubdirectory("leases-").FullName;
        var nextYear = new FakeTimeProvider(_firstClock.GetUtcNow().AddYears(1));
        await using (HeldLease other = Leases.InFolder(elsewhere, nextYear).TryAcquire(TrainingTerms.Lease)!) _shop.Models.Under(other); // its token is higher
        Directory.Delete(elsewhere, recursive: true);

        using IHost host = Host(_firstClock);
        long token = _firstClock.GetUtcNow().ToUnixTimeSeconds(); // of the very first lease
        await host.StartAsync(Token);
        TrainingRecord waiting = Ask(0, Short);
        await UntilAsync(() => long.Parse(Path.GetFileNameWithoutExtension(Holder), CultureInfo.InvariantCulture) > token, _firstClock.AdvanceIfWaiting); // it tries again
        await host.StopAsync(Token);
        Assert.Equal(TrainingState.Queued, State(waiting));
        Assert.Single(_shop.Models.List());
    }

    [Fact]
    public async Task What_a_zombie_wants_to_publish_is_refused_and_it_stands_by()
    {
        using var wakes = new ManualResetEventSlim();
        using IHost second = Host(_secondClock), first = Host(_firstClock, (message, _) =>
        {
            if (message is TrainingProgressed { Phase: "evaluate" }) wakes.Wait(Token);
            return Task.CompletedTask;
        });
        await first.StartAsync(Token);
        TrainingRecord running = Ask(0, Short);
        await UntilAsync(() => _shop.Trainings.Find(running.Id) is { Phase: "evaluate" });
        await second.StartAsync(Token);
        await TakenOverAsync(_secondClock, from: Holder);
        await UntilAsync(() => _shop.Trainings.List() is [_, { State: TrainingState.Published }] || _shop.Trainings.List() is [{ State: TrainingState.Published }, _]);
        ModelVersion live = _shop.Models.Live!.Value;

        string held = Holder;
        wakes.Set();
        await second.StopAsync(Token);
        TrainingRecord later = Ask(1, Short);
        await TakenOverAsync(_firstClock, from: held); // the former zombie's turn
        await UntilAsync(() => _shop.Trainings.Find(later.Id)!.Ended);
        await first.StopAsync(Token);
        Assert.Equal((TrainingState.Interrupted, TrainingState.Skipped), (State(running), State(later)));
        Assert.Equal(live, _shop.Models.Live);
        Assert.Equal(2, _shop.Models.List().Count);
        AssertToldOnce();
    }

    [Fact]
    public async Task A_clean_stop_gives_the_lease_back_and_what_waits_goes_to_the_other()
    {
        using IHost first = Host(_firstClock), second = Host(_secondClock);
        await first.StartAsync(Token);
        await second.StartAsync(Token);
        TrainingRecord running = Ask(0), waiting = Ask(1, Short);
        await UntilAsync(() => _shop.Trainings.Find(running.Id) is { State: TrainingState.Running, Phase: "train" });
        string held = Holder;
        await first.StopAsync(Token);
        Assert.Equal((TrainingState.Interrupted, TrainingState.Queued), (State(running), State(waiting)));
        await TakenOverAsync(_secondClock, from: held);
        await UntilAsync(() => State(waiting) == TrainingState.Published);
        await second.StopAsync(Token);
        Assert.Equal(2, _shop.Trainings.List().Count);
        AssertToldOnce();
    }

    /// <summary>Seeds: which messages are lost, doubled, late and in what order, and which Trainer gets them.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Whatever_becomes_of_messages_the_records_and_models_are_the_same(int seed)
    {
        var random = new Random(seed);
        using IHost first = Host(_firstClock), second = Host(_secondClock);
        await first.StartAsync(Token);
        await second.StartAsync(Token);
        TrainingQueue[] trainers = [first.Services.GetRequiredService<TrainingQueue>(), second.Services.GetRequiredService<TrainingQueue>()];
        var messages = new List<object>();
        var expected = new Dictionary<Guid, TrainingState>();
        for (int n = 0; n < 12; n++)
        {
            bool cancel = random.Next(3) == 0;
            TrainingRecord asked = Ask(n, Short, cancel);
            // The first that is not cancelled publishes, the others find nothing new to learn.
            expected[asked.Id] = cancel ? TrainingState.Cancelled : expected.ContainsValue(TrainingState.Published) ? TrainingState.Skipped : TrainingState.Published;
            foreach (object message in (object[])[new TrainEncoder(asked.Id, TrainingTempo.Head, "manual", Short), .. cancel ? [new CancelTraining(asked.Id)] : (object[])[]])
                for (int times = random.Next(3); times > 0; times--) messages.Add(message);
        }
        object[] order = [.. messages];
        random.Shuffle(order);
        foreach (object message in order)
            foreach (TrainingQueue trainer in trainers)
            {
                if (random.Next(2) == 0) continue;
                if (message is TrainEncoder request) trainer.Add(request);
                else trainer.Cancel(((CancelTraining)message).TrainingId);
                if (random.Next(4) == 0) await UntilAsync(() => _shop.Trainings.List().Any(record => record.Ended));
            }
        await UntilAsync(() => _shop.Trainings.List().All(record => record.Ended));
        // Late, after all is over.
        foreach (object message in order)
            if (message is TrainEncoder late) trainers[random.Next(2)].Add(late);
            else trainers[random.Next(2)].Cancel(((CancelTraining)message).TrainingId);
        await first.StopAsync(Token);
        await second.StopAsync(Token);
        Assert.Equal(expected, _shop.Trainings.List().ToDictionary(record => record.Id, record => record.State));
        Assert.Equal(2, _shop.Models.List().Count);
        AssertToldOnce();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_bus_that_hangs_or_throws_ends_no_training(bool hangs)
    {
        int attempts = 0;
        var busClock = new FakeTimeProvider();
        PublishControlMessage publish = ControlMessages.Over((message, _) =>
        {
            if (message is not TrainingProgressed) Interlocked.Increment(ref attempts);
            return hangs ? new TaskCompletionSource().Task : throw new InvalidOperationException("no bus");
        }, busClock, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        using IHost host = Host(_firstClock, publish);
        await host.StartAsync(Token);
        TrainingRecord asked = Ask(0, Short), next = Ask(1, Short);
        await UntilAsync(() => State(next) == TrainingState.Skipped, () => busClock.Advance(TimeSpan.FromSeconds(1)));
        Assert.Equal(TrainingState.Published, State(asked));
        await UntilAsync(() => attempts == 2, () => busClock.Advance(TimeSpan.FromSeconds(1)));
        await host.StopAsync(Token);
        Assert.Equal(2, attempts); // one a verdict
    }

    [Fact]
    public void An_end_that_cannot_be_written_is_written_later_and_nothing_else_is_made_of_it()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UnixEpoch);
        var records = new FailingRecords(_shop.Trainings);
        var journal = new TrainingJournal(records, clock, Microsoft.Extensions.Logging.Abstractions.NullLogger<TrainingJournal>.Instance);
        TrainingRecord asked = Ask(0);
        Assert.True(journal.TryStart(asked.Id));
        Assert.False(journal.TryStart(asked.Id));
        records.Fails = 1;
        journal.Ended(new TrainEncoder(asked.Id, TrainingTempo.Head, "manual"), TrainingState.Refused, "no");
        Assert.Equal(TrainingState.Running, State(asked));
        Assert.Empty(journal.CloseInterrupted());
        Assert.Equal(TrainingState.Refused, State(asked));
    }

    [Fact]
    public void Who_asks_in_a_loop_is_refused()
    {
        var queue = new TrainingQueue(_shop.Trainings, TimeProvider.System);
        for (int n = 0; n < TrainingRecord.MostQueued; n++) Assert.Null(queue.Add(new TrainEncoder(Guid.NewGuid(), TrainingTempo.Head, "manual")));
        var more = new TrainEncoder(Guid.NewGuid(), TrainingTempo.Head, "manual");
        Assert.Contains("64 trainings wait", queue.Add(more), StringComparison.Ordinal);
        Assert.Null(queue.Add(more)); // was told already
        Assert.Equal(TrainingState.Skipped, _shop.Trainings.Find(more.TrainingId)!.State);
    }

    /// <summary>The record of the lease that counts.</summary>
    private string Holder => Directory.GetFiles(Path.Combine(_shop.LeaseFolder, TrainingTerms.Lease), "*.json").Max(StringComparer.Ordinal)!;

    /// <summary>Time goes on for one alone, until it holds the lease.</summary>
    private Task TakenOverAsync(LookClock clock, string from) => UntilAsync(() => Holder != from, clock.AdvanceIfWaiting);

    private TrainingState State(TrainingRecord asked) => _shop.Trainings.Find(asked.Id)!.State;

    /// <summary>As the Api does, but without a message.</summary>
    private TrainingRecord Ask(int second, string? policy = null, bool cancel = false)
    {
        var record = new TrainingRecord(Guid.NewGuid(), "head", "manual", TrainingState.Queued, DateTimeOffset.UnixEpoch.AddSeconds(second), Policy: policy, CancelRequested: cancel);
        _shop.Trainings.Save(record);
        return record;
    }

    private void AssertToldOnce() => Assert.All(_told.GroupBy(verdict => verdict is EncoderPublished published ? published.TrainingId : ((EncoderRejected)verdict).TrainingId), verdicts => Assert.Single(verdicts));

    private IHost Host(TimeProvider leaseClock, PublishControlMessage? publish = null) => TrainerHostingTests.Host(
        _shop, new() { ["Trainer:EveryInteractions"] = "0", ["Trainer:Every"] = "00:00:00", ["Trainer:CheckInterval"] = "00:00:00.020" }, Endless, leases: _shop.Leases(leaseClock), also: services =>
            services.AddSingleton(publish ?? ((message, _) =>
            {
                if (message is not TrainingProgressed) _told.Add(message);
                return Task.CompletedTask;
            })));

    private static async Task UntilAsync(Func<bool> holds, Action? meanwhile = null)
    {
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!holds())
        {
            meanwhile?.Invoke();
            await look.WaitForNextTickAsync(Token);
        }
    }

    private sealed class FailingRecords(ITrainingRecords records) : ITrainingRecords
    {
        public int Fails { get; set; }
        public TrainingRecord? Change(Guid id, Func<TrainingRecord?, TrainingRecord?> change) => Fails-- > 0 ? throw new IOException("No space left on device") : records.Change(id, change);
        public TrainingRecord? Find(Guid id) => records.Find(id);
        public IReadOnlyList<TrainingRecord> List() => records.List();
    }
}
