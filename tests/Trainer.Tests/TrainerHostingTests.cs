using System.Threading.Channels;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.WindowStore;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Trainer.Tests;

public sealed class TrainerHostingTests
{
    [Fact]
    public async Task A_fresh_store_gets_the_base_model_then_a_training_asked_for_is_published()
    {
        using var shop = new ShopFolder();
        shop.Buy(seed: 1);
        using IHost host = Host(shop, new() { ["Encoder:Path"] = Path.Combine(Golden.RepositoryRoot(), "tests", "golden", "beeformer", "encoder"), ["Encoder:MaxSequenceLength"] = "32", ["Trainer:EveryInteractions"] = "0" });
        CancellationToken token = TestContext.Current.CancellationToken;
        await host.StartAsync(token);
        ModelVersion first = shop.Models.Live!.Value;
        var verdicts = host.Services.GetRequiredService<Verdicts>();
        var bus = host.Services.GetRequiredService<IBus>();

        Guid id = Guid.NewGuid();
        await bus.Publish(new TrainEncoder(id, TrainingTempo.Head, "manual"), token);
        EncoderPublished published = Assert.IsType<EncoderPublished>(await verdicts.Seen.Reader.ReadAsync(token));
        Assert.Equal(id, published.TrainingId);
        Assert.Equal(shop.Models.Live, published.Version);
        Assert.NotEqual(first, published.Version);

        await host.StopAsync(token);
    }

    [Theory]
    [InlineData("Trainer:CheckInterval", "-00:00:01", "CheckInterval")]
    [InlineData("Trainer:HoldoutShare", "0.9", "HoldoutShare")]
    [InlineData("Encoder:MaxSequenceLength", "1", "MaxSequenceLength")]
    [InlineData("Trainer:EveryInteraction", "5", "EveryInteraction")]
    [InlineData("Encoder:Folder", "x", "Folder")]
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

        LastTraining Last(long landed) => new(start, null, new Dictionary<int, long> { [0] = landed });
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

    private static IHost Host(ShopFolder shop, Dictionary<string, string?> settings)
    {
        HostApplicationBuilder builder = new(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Services.AddSingleton<IWindowStore>(shop.Windows);
        builder.Services.AddSingleton<IModelStore>(shop.Models);
        builder.Services.AddSingleton(shop.Cache);
        builder.Services.AddSingleton(new TrainingPolicy { HeadSteps = 40, HeadOutput = 64 });
        builder.Services.AddSingleton<Verdicts>();
        builder.AddTrainer();
        builder.Logging.ClearProviders();
        builder.Services.AddMassTransit(bus =>
        {
            bus.AddTrainerConsumers();
            bus.AddConsumer<VerdictConsumer>();
            bus.UsingInMemory((context, memory) => memory.ConfigureEndpoints(context));
        });
        builder.Services.Configure<MassTransitHostOptions>(options => options.WaitUntilStarted = true);
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
