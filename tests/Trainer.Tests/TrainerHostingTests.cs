using System.Threading.Channels;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.ServiceDefaults;
using BeeFormer.Streaming.WindowStore;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Trainer.Tests;

[Collection(ThreadCountCollection.Name)]
public sealed class TrainerHostingTests
{
    [Fact]
    public async Task A_fresh_store_gets_the_base_model_then_a_training_asked_for_is_published()
    {
        using var shop = new ShopFolder();
        shop.Buy(seed: 1);
        using IHost host = Host(shop, new() { ["Encoder:Path"] = Path.Combine(Golden.RepositoryRoot(), "tests", "golden", "beeformer", "encoder"), ["Encoder:MaxSequenceLength"] = "32", ["Trainer:EveryInteractions"] = "0", ["Trainer:KeepModels"] = "1" });
        CancellationToken token = TestContext.Current.CancellationToken;
        await host.StartAsync(token);
        ModelVersion first = shop.Models.Live!.Value;
        ModelVersion old = shop.Models.Publish(new ModelDraft(new Fingerprint(new string('e', 64)), 32, first, "w", new Dictionary<int, long>(), [], [], "old"), folder => File.WriteAllText(Path.Combine(folder, "x"), "x")).Version;
        var verdicts = host.Services.GetRequiredService<Verdicts>();
        var bus = host.Services.GetRequiredService<IBus>();

        Guid id = Guid.NewGuid();
        await bus.Publish(new TrainEncoder(id, TrainingTempo.Head, "manual"), token);
        EncoderPublished published = Assert.IsType<EncoderPublished>(await verdicts.Seen.Reader.ReadAsync(token));
        Assert.Equal(id, published.TrainingId);
        Assert.Equal(shop.Models.Live, published.Version);
        Assert.NotEqual(first, published.Version);
        Assert.Equal([first, published.Version], shop.Models.List().Select(model => model.Version));
        Assert.Equal(old, Assert.Single(shop.Models.Retired()).Version);
        TrainingRecord record = shop.Trainings.Find(id)!;
        Assert.Equal((TrainingState.Published, published.Version, published.Decision, "manual"), (record.State, record.Version!.Value, record.Decision, record.Reason));
        Assert.Equal("evaluate", record.Phase);
        Assert.NotNull(record.Metrics!["challenger"]);
        Assert.True(record.RequestedAt <= record.StartedAt && record.StartedAt <= record.EndedAt);

        await bus.Publish(new TrainEncoder(id = Guid.NewGuid(), TrainingTempo.Head, "manual"), token);
        Assert.Equal(id, Assert.IsType<EncoderRejected>(await verdicts.Seen.Reader.ReadAsync(token)).TrainingId);
        Assert.Equal(TrainingState.Skipped, shop.Trainings.Find(id)!.State);
        await host.StopAsync(token);
    }

    [Fact]
    public async Task A_cancelled_training_ends_without_a_trace_and_the_next_one_runs_by_its_own_policy()
    {
        using var shop = new ShopFolder();
        shop.MakeBaseLive();
        shop.Buy(seed: 1);
        string[] before = shop.ModelFiles();
        shop.Trainings.Save(new TrainingRecord(Guid.NewGuid(), "head", "manual", TrainingState.Running, DateTimeOffset.UnixEpoch)); // of a process that died
        using IHost host = Host(shop, new() { ["Trainer:EveryInteractions"] = "0", ["Trainer:Every"] = "00:00:00" }, new TrainingPolicy { HeadSteps = 1_000_000, HeadOutput = 64 });
        CancellationToken token = TestContext.Current.CancellationToken;
        await host.StartAsync(token);
        Assert.Equal(TrainingState.Interrupted, Assert.Single(shop.Trainings.List()).State);
        var verdicts = host.Services.GetRequiredService<Verdicts>();
        var bus = host.Services.GetRequiredService<IBus>();
        Guid running = Guid.NewGuid(), waiting = Guid.NewGuid(), early = Guid.NewGuid(), last = Guid.NewGuid(), wrong = Guid.NewGuid();

        await bus.Publish(new TrainEncoder(running, TrainingTempo.Head, "manual"), token);
        using (var look = new PeriodicTimer(TimeSpan.FromMilliseconds(5)))
            while (shop.Trainings.Find(running) is not { State: TrainingState.Running, Phase: "train" }) await look.WaitForNextTickAsync(token);
        var queue = host.Services.GetRequiredService<TrainingQueue>();
        queue.Cancel(early); // overtakes its request
        foreach (Guid id in (Guid[])[waiting, early]) Assert.Null(queue.Add(new TrainEncoder(id, TrainingTempo.Head, "manual")));
        queue.Cancel(waiting);
        await bus.Publish(new CancelTraining(running), token);
        foreach (Guid id in (Guid[])[running, waiting, early])
        {
            EncoderRejected rejected = Assert.IsType<EncoderRejected>(await verdicts.Seen.Reader.ReadAsync(token));
            Assert.Equal(TrainingState.Cancelled, shop.Trainings.Find(rejected.TrainingId)!.State);
            Assert.Contains("cancelled", rejected.Decision, StringComparison.Ordinal);
            Assert.NotNull(shop.Trainings.Find(id));
        }
        Assert.Equal(before, shop.ModelFiles());

        await bus.Publish(new TrainEncoder(wrong, TrainingTempo.Head, "manual", "head_steps: 40\nhead_stepz: 1\n"), token);
        Assert.Contains("(2,1)", Assert.IsType<EncoderRejected>(await verdicts.Seen.Reader.ReadAsync(token)).Decision, StringComparison.Ordinal);
        Assert.Equal(TrainingState.Failed, shop.Trainings.Find(wrong)!.State);
        await bus.Publish(new TrainEncoder(last, TrainingTempo.Head, "manual", "head_steps: 40\nhead_output: 64\n"), token);
        Assert.Equal(last, Assert.IsType<EncoderPublished>(await verdicts.Seen.Reader.ReadAsync(token)).TrainingId);
        await host.StopAsync(token);
    }

    [Fact]
    public async Task A_disk_that_is_full_while_publishing_fails_the_training_and_nothing_else()
    {
        using var shop = new ShopFolder();
        shop.MakeBaseLive();
        shop.Buy(seed: 1);
        string[] before = shop.ModelFiles();
        IModelStore models = FullDisk.Before(shop.Models, fails: 1);
        using IHost host = Host(shop, new() { ["Trainer:EveryInteractions"] = "0", ["Trainer:Every"] = "00:00:00" }, models: models);
        CancellationToken token = TestContext.Current.CancellationToken;
        await host.StartAsync(token);
        var verdicts = host.Services.GetRequiredService<Verdicts>();
        var bus = host.Services.GetRequiredService<IBus>();
        await bus.Publish(new TrainEncoder(Guid.NewGuid(), TrainingTempo.Head, "manual"), token);
        Assert.Contains("No space left", Assert.IsType<EncoderRejected>(await verdicts.Seen.Reader.ReadAsync(token)).Decision, StringComparison.Ordinal);
        Assert.Equal(before, shop.ModelFiles());
        Assert.Equal(TrainingState.Failed, Assert.Single(shop.Trainings.List()).State);
        await bus.Publish(new TrainEncoder(Guid.NewGuid(), TrainingTempo.Head, "manual"), token);
        Assert.IsType<EncoderPublished>(await verdicts.Seen.Reader.ReadAsync(token));
        await host.StopAsync(token);
    }

    [Fact]
    public async Task A_live_model_that_is_damaged_stops_the_start_and_says_which_to_activate()
    {
        using var shop = new ShopFolder();
        shop.MakeBaseLive();
        ModelVersion sound = shop.Models.Live!.Value;
        shop.MakeOtherDimensionLive(16);
        string file = Path.Combine(shop.Models.EncoderFolder(shop.Models.Live!.Value), "2_Dense", "model.safetensors");
        byte[] bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
        using IHost host = Host(shop, []);
        string message = (await Assert.ThrowsAsync<InvalidDataException>(() => host.StartAsync(TestContext.Current.CancellationToken))).Message;
        Assert.Contains(file, message, StringComparison.Ordinal);
        Assert.EndsWith($"Activate another: beeformer models activate {sound}.", message, StringComparison.Ordinal);

        shop.Models.TryMoveLive(shop.Models.Live, sound);
        using IHost again = Host(shop, []);
        await again.StartAsync(TestContext.Current.CancellationToken);
        await again.StopAsync(TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("Trainer:CheckInterval", "-00:00:01", "CheckInterval")]
    [InlineData("Trainer:HoldoutShare", "0.9", "HoldoutShare")]
    [InlineData("Encoder:MaxSequenceLength", "1", "MaxSequenceLength")]
    [InlineData("Trainer:EveryInteraction", "5", "EveryInteraction")]
    [InlineData("Encoder:Folder", "x", "Folder")]
    [InlineData("Encoder:ItemText", "{description}", "Encoder:ItemText is '{description}'; expected a text that holds {title}.")]
    [InlineData("Encoder:ItemText", "{title}, {maker}", "Encoder:ItemText holds {maker}; expected {title}, {description} or {attributes.NAME}.")]
    public async Task A_wrong_setting_stops_the_start_and_is_named(string key, string value, string named)
    {
        using var shop = new ShopFolder();
        using IHost host = Host(shop, new() { [key] = value });
        var exception = await Assert.ThrowsAnyAsync<Exception>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.True(exception is OptionsValidationException or InvalidOperationException, exception.ToString());
        Assert.Contains(named, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Trainings_are_due_after_enough_interactions_or_enough_time_with_anything_new()
    {
        DateTimeOffset start = DateTimeOffset.UnixEpoch;
        var options = new TrainerOptions { EveryInteractions = 100, Every = TimeSpan.FromMinutes(5), EveryEncoder = TimeSpan.FromHours(1) };
        var triggers = new TriggerState(options, HeadKind.Words, Last(1000), Last(1000));
        Assert.Null(triggers.Due(1099, start.AddMinutes(1)));
        Assert.Equal((TrainingTempo.Head, "interactions"), triggers.Due(1100, start.AddMinutes(1)));
        Assert.Null(triggers.Due(1100, start.AddMinutes(30)));
        Assert.Equal((TrainingTempo.Head, "interval"), triggers.Due(1101, start.AddMinutes(30)));
        Assert.Equal((TrainingTempo.Encoder, "interval"), triggers.Due(1102, start.AddMinutes(61)));
        Assert.Null(triggers.Due(1102, start.AddMinutes(62)));
        Assert.Equal((TrainingTempo.Encoder, "interactions"), new TriggerState(options, HeadKind.None, Last(0), Last(0)).Due(100, start));

        LastTraining Last(long landed) => new(start, null, new Dictionary<int, long> { [0] = landed }, "");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Triggers_go_on_counting_after_a_restart(bool promoted)
    {
        using var shop = new ShopFolder();
        shop.MakeBaseLive();
        shop.Buy(seed: 1);
        var options = new TrainerOptions { EveryInteractions = 100, Every = null };
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        Assert.Equal(1200, shop.Windows.NextOffset(Topics.Interactions, 0));
        Assert.Equal((TrainingTempo.Head, "interactions"), Restarted()!.Due(1200, now)); // nothing was trained yet

        TrainingOutcome outcome = shop.Train(new TrainingPolicy { HeadSteps = promoted ? 40 : 1, HeadOutput = 64, MinProbability = promoted ? 0.95 : 1.01 });
        Assert.Equal(promoted, outcome.Published is not null);
        Assert.Null(Restarted().Due(1299, now));
        Assert.Equal((TrainingTempo.Head, "interactions"), Restarted().Due(1300, now));

        TriggerState Restarted() => TriggerState.After(shop.Models, options, HeadKind.Words, now);
    }

    [Fact]
    public async Task A_training_that_was_stopped_goes_on_at_the_next_start_and_publishes_the_same_model()
    {
        using ShopFolder shop = StartedShop(), twin = StartedShop();
        (Guid id, _) = await StopInTrainingAsync(shop);
        Assert.EndsWith("It goes on at the next start.", shop.Trainings.Find(id)!.Decision, StringComparison.Ordinal);
        EncoderPublished resumed = Assert.IsType<EncoderPublished>(await NextVerdictAsync(shop, ask: false)), straight = Assert.IsType<EncoderPublished>(await NextVerdictAsync(twin, ask: true));
        Assert.Equal(straight.Fingerprint, resumed.Fingerprint);
        TrainingRecord record = shop.Trainings.Find(resumed.TrainingId)!;
        Assert.NotEqual(id, record.Id);
        Assert.Equal((TrainingState.Published, "resume", id), (record.State, record.Reason, record.Continues));
        Assert.Equal(TrainingState.Interrupted, shop.Trainings.Find(id)!.State);
        Assert.False(shop.Checkpoints.Any);
    }

    [Fact]
    public async Task A_damaged_checkpoint_is_named_and_the_training_begins_anew()
    {
        using ShopFolder shop = StartedShop();
        (Guid id, string file) = await StopInTrainingAsync(shop);
        File.WriteAllText(file, "?");
        object verdict = await NextVerdictAsync(shop, ask: false);
        Assert.True(verdict is EncoderPublished, $"{verdict}");
        var anew = (EncoderPublished)verdict;
        TrainingRecord record = shop.Trainings.Find(anew.TrainingId)!;
        Assert.Equal((TrainingState.Published, id), (record.State, record.Continues));
        Assert.Contains(file, record.Decision, StringComparison.Ordinal);
        Assert.False(shop.Checkpoints.Any);
    }

    [Fact]
    public async Task A_cancelled_training_is_not_gone_on_with()
    {
        using ShopFolder shop = StartedShop();
        await StopInTrainingAsync(shop);
        using var cancelled = new ManualResetEventSlim();
        using IHost host = Host(shop, Quiet, EncoderPolicy, also: services => services.AddSingleton<PublishControlMessage>(provider => (message, stopping) =>
        {
            if (message is TrainingProgressed) cancelled.Wait(stopping);
            return provider.GetRequiredService<IBus>().Publish(message, message.GetType(), stopping);
        }));
        CancellationToken token = TestContext.Current.CancellationToken;
        await host.StartAsync(token);
        TrainingRecord resumed = shop.Trainings.List()[^1];
        host.Services.GetRequiredService<TrainingQueue>().Cancel(resumed.Id);
        cancelled.Set();
        Assert.Equal(resumed.Id, Assert.IsType<EncoderRejected>(await host.Services.GetRequiredService<Verdicts>().Seen.Reader.ReadAsync(token)).TrainingId);
        Assert.Equal(TrainingState.Cancelled, shop.Trainings.Find(resumed.Id)!.State);
        Assert.False(shop.Checkpoints.Any);
        await host.StopAsync(token);
    }

    [Fact]
    public async Task Triggers_count_from_a_training_that_was_resumed_at_the_start()
    {
        using ShopFolder shop = StartedShop();
        CancellationToken token = TestContext.Current.CancellationToken;
        var queue = new TrainingQueue(shop.Trainings, TimeProvider.System);
        var triggers = new TrainingTriggers(queue, shop.Windows, shop.Models, new SharedModels(), shop.Cache, new TrainingPolicy(), Options.Create(new TrainerOptions { EveryInteractions = 100, Every = null }), TimeProvider.System, NullLogger<TrainingTriggers>.Instance);
        queue.Add(new TrainEncoder(Guid.NewGuid(), TrainingTempo.Encoder, "resume"));
        await triggers.LookAsync(token);
        Assert.NotNull(shop.Train(new TrainingPolicy { HeadSteps = 40, HeadOutput = 64 }).Metrics);
        shop.Trainings.Save(queue.Next()! with { State = TrainingState.Published });
        await triggers.LookAsync(token);
        Assert.True(queue.Idle); // it has learned all that there is
        shop.Buy(seed: 2, each: 1);
        await triggers.LookAsync(token);
        Assert.False(queue.Idle);
    }

    private static readonly TrainingPolicy EncoderPolicy = new() { HeadSteps = 40, HeadOutput = 64, EncoderSteps = 80, MaxOutput = 64, Lr = 3e-3, FrozenLayers = 0 };
    private static readonly Dictionary<string, string?> Quiet = new() { ["Trainer:EveryInteractions"] = "0", ["Trainer:Every"] = "00:00:00" };

    private static ShopFolder StartedShop()
    {
        var shop = new ShopFolder();
        shop.MakeBaseLive();
        shop.Buy(seed: 1);
        return shop;
    }

    /// <returns>The training that was stopped in its middle, and its checkpoint.</returns>
    private static async Task<(Guid Id, string File)> StopInTrainingAsync(ShopFolder shop)
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        // It has begun to learn, and goes no further before it is stopped.
        var learns = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using IHost host = Host(shop, Quiet, EncoderPolicy, also: services => services.AddSingleton<PublishControlMessage>((message, stopping) =>
        {
            if (message is TrainingProgressed { Phase: "train" } && learns.TrySetResult()) stopping.WaitHandle.WaitOne();
            return Task.CompletedTask;
        }));
        await host.StartAsync(token);
        var id = Guid.NewGuid();
        await host.Services.GetRequiredService<IBus>().Publish(new TrainEncoder(id, TrainingTempo.Encoder, "manual"), token);
        await learns.Task.WaitAsync(token);
        Assert.Equal((TrainingState.Running, "train"), (shop.Trainings.Find(id)!.State, shop.Trainings.Find(id)!.Phase));
        await host.StopAsync(token);
        Interruption left = shop.Checkpoints.Find()!;
        Assert.InRange(left.Training!.Counters.Step, 1, EncoderPolicy.EncoderSteps - 1);
        return (id, left.File);
    }

    private static async Task<object> NextVerdictAsync(ShopFolder shop, bool ask)
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        using IHost host = Host(shop, Quiet, EncoderPolicy);
        await host.StartAsync(token);
        if (ask) await host.Services.GetRequiredService<IBus>().Publish(new TrainEncoder(Guid.NewGuid(), TrainingTempo.Encoder, "manual"), token);
        object verdict = await host.Services.GetRequiredService<Verdicts>().Seen.Reader.ReadAsync(token);
        await host.StopAsync(token);
        return verdict;
    }

    internal static IHost Host(ShopFolder shop, Dictionary<string, string?> settings, TrainingPolicy? policy = null, IModelStore? models = null, ILeases? leases = null, Action<IServiceCollection>? also = null)
    {
        HostApplicationBuilder builder = new(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Services.AddSingleton<IWindowStore>(shop.Windows);
        builder.Services.AddSingleton(models ?? shop.Models);
        builder.Services.AddSingleton<ITrainingRecords>(shop.Trainings);
        builder.Services.AddSingleton<ILeases>(leases ?? shop.Leases(TimeProvider.System));
        builder.Services.AddSingleton(shop.Cache);
        builder.Services.AddSingleton(shop.Checkpoints);
        builder.Services.AddSingleton(policy ?? new TrainingPolicy { HeadSteps = 40, HeadOutput = 64 });
        builder.Services.AddSingleton<Verdicts>();
        // Over the bus as always, but with all the time that a busy machine takes: these tests wait for what the program's own readers would find out by looking.
        builder.Services.AddSingleton<PublishControlMessage>(provider => (message, token) => provider.GetRequiredService<IBus>().Publish(message, message.GetType(), token));
        builder.AddTrainer();
        builder.Logging.ClearProviders();
        builder.Services.AddMassTransit(bus =>
        {
            bus.AddTrainerConsumers();
            bus.AddConsumer<VerdictConsumer>();
            bus.UsingInMemory((context, memory) => memory.ConfigureEndpoints(context));
        });
        builder.Services.Configure<MassTransitHostOptions>(options => options.WaitUntilStarted = true);
        also?.Invoke(builder.Services);
        return builder.Build();
    }

    private sealed class Verdicts
    {
        public Channel<object> Seen { get; } = Channel.CreateUnbounded<object>();
    }

    private sealed class VerdictConsumer(Verdicts verdicts) : IConsumer<EncoderPublished>, IConsumer<EncoderRejected>
    {
        public async Task Consume(ConsumeContext<EncoderPublished> context) => await verdicts.Seen.Writer.WriteAsync(context.Message, context.CancellationToken);
        public async Task Consume(ConsumeContext<EncoderRejected> context) => await verdicts.Seen.Writer.WriteAsync(context.Message, context.CancellationToken);
    }
}
