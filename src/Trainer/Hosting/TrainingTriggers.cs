using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.ModelStore;
using BeeFormer.Streaming.WindowStore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Asks for a training after a time, after so many new interactions, or when the model in service foretells less than it did, unless a training waits or runs already.</summary>
internal sealed class TrainingTriggers(TrainingQueue queue, IWindowStore windows, IModelStore models, SharedModels shared, EncoderOutputCache cache, TrainingPolicy policy, IOptions<TrainerOptions> options,
    TimeProvider clock, ILogger<TrainingTriggers> logger) : BackgroundService
{
    private readonly PrequentialRecall? _recall = options.Value.RecallDrop is { } drop ? new PrequentialRecall(windows, models, shared, cache, options.Value, drop, clock) : null;
    private TriggerState? _triggers;
    private long _looked = -1;
    private bool _dropped;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.CheckInterval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await LookAsync(stoppingToken);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // A store that is away must not end the training that runs.
                logger.LogWarning(failure, "It could not be seen whether a training is due; the next look follows");
            }
        }
    }

    internal async Task LookAsync(CancellationToken stoppingToken)
    {
        // Log positions that have landed: grows with every event, and costs one listing.
        long landed = windows.NextOffsets(Topics.Interactions).Values.Sum();
        // Also while a training runs: what lands meanwhile has to be foretold before that training's model comes into service.
        if (_recall is not null && landed != _looked && await RecallDroppedAsync(_recall, stoppingToken)) _dropped = true;
        _looked = landed;
        if (!queue.Idle || policy.Type == PolicyType.SentenceTransformer) return;
        // Not before: a training that was resumed at the start is one of those to count from.
        _triggers ??= TriggerState.After(models, options.Value, policy.Head, clock.GetUtcNow());
        if (_triggers.Due(landed, clock.GetUtcNow(), _dropped) is not { } due) return;
        _dropped = false;
        queue.Add(new TrainEncoder(Guid.CreateVersion7(), due.Tempo, due.Reason));
    }

    private async Task<bool> RecallDroppedAsync(PrequentialRecall recall, CancellationToken stoppingToken)
    {
        try
        {
            return await TrainingThread.RunAsync(options.Value.ThreadCount, () => recall.Look(stoppingToken));
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            // The loop's edge: the other triggers go on.
            logger.LogWarning(exception, "The prequential recall could not be measured");
            return false;
        }
    }
}

/// <summary>What has to happen before the next training: decided here, without clock or store.</summary>
/// <param name="last">The last training of any tempo.</param>
/// <param name="lastEncoder">The last training of the encoder.</param>
internal sealed class TriggerState(TrainerOptions options, HeadKind head, LastTraining last, LastTraining lastEncoder)
{
    private long _headLanded = last.Landed, _encoderLanded = lastEncoder.Landed;
    private DateTimeOffset _headAt = last.At, _encoderAt = lastEncoder.At;

    /// <summary>Counts from what the ModelStore remembers, not from the start of the process: one that restarts often trains as often as any other.</summary>
    public static TriggerState After(IModelStore models, TrainerOptions options, HeadKind head, DateTimeOffset now)
    {
        LastTraining last = LastTraining.Find(models, null) ?? new LastTraining(now, null, new Dictionary<int, long>(), "");
        // Where the encoder was never tuned, its time runs from the first model.
        LastTraining untuned = models.List().FirstOrDefault(model => model.IsUntrained) is { } first ? new LastTraining(first.PublishedAt, null, first.Model.WindowAsOf, first.Model.Decision) : last;
        return new TriggerState(options, head, last, LastTraining.Find(models, TrainingTempo.Encoder) ?? untuned);
    }

    public (TrainingTempo Tempo, string Reason)? Due(long landedNow, DateTimeOffset at, bool recallDropped = false)
    {
        if (options.EveryEncoder is { Ticks: > 0 } slow && at - _encoderAt >= slow && landedNow > _encoderLanded) return Take(TrainingTempo.Encoder, "interval", landedNow, at);
        // Without a head the encoder is all there is to train.
        TrainingTempo fast = head == HeadKind.Words ? TrainingTempo.Head : TrainingTempo.Encoder;
        if (recallDropped && landedNow > _headLanded) return Take(head == HeadKind.Words ? options.RecallTempo : TrainingTempo.Encoder, "recall", landedNow, at);
        if (options.EveryInteractions > 0 && landedNow - _headLanded >= options.EveryInteractions) return Take(fast, "interactions", landedNow, at);
        if (options.Every is { Ticks: > 0 } every && at - _headAt >= every && landedNow > _headLanded) return Take(fast, "interval", landedNow, at);
        return null;
    }

    private (TrainingTempo, string) Take(TrainingTempo tempo, string reason, long landedNow, DateTimeOffset at)
    {
        // An encoder training learns the head again, too.
        (_headLanded, _headAt) = (landedNow, at);
        if (tempo == TrainingTempo.Encoder) (_encoderLanded, _encoderAt) = (landedNow, at);
        return (tempo, reason);
    }
}
