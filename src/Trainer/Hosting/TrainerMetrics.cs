using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ModelStore;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Instruments of the meter <c>BeeFormer.Streaming.Trainer</c>.</summary>
internal sealed class TrainerMetrics
{
    public const string MeterName = "BeeFormer.Streaming.Trainer";

    private readonly IModelStore _models;
    private readonly TimeProvider _time;
    private readonly Histogram<double> _duration;
    private readonly ConcurrentDictionary<TrainingTempo, double> _losses = new();

    public TrainerMetrics(IMeterFactory meters, IModelStore models, TimeProvider time)
    {
        (_models, _time) = (models, time);
        var meter = meters.Create(MeterName);
        _duration = meter.CreateHistogram<double>("trainer.duration", "s", "Time of a training from its start to the verdict, by tempo (head, encoder) and verdict (published, refused, skipped, cancelled, interrupted, failed)");
        meter.CreateObservableGauge("trainer.loss", () => _losses.Select(loss => new Measurement<double>(loss.Value, Tempo(loss.Key))), "{loss}", "Loss that the training told last, by tempo");
        meter.CreateObservableGauge("model.live.age", LiveAge, "s", "Time since the model in service was published");
    }

    public void Progressed(TrainingTempo tempo, double? loss)
    {
        if (loss is { } value && double.IsFinite(value)) _losses[tempo] = value;
    }

    public void Ended(TrainingTempo tempo, TrainingState state, TimeSpan duration) =>
        _duration.Record(duration.TotalSeconds, Tempo(tempo), new("verdict", state.ToString().ToLowerInvariant()));

    private IEnumerable<Measurement<double>> LiveAge()
    {
        ModelManifest? live;
        try
        {
            live = _models.Live is { } version ? _models.Find(version) : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            live = null; // whoever serves it says so
        }
        return live is null ? [] : [new Measurement<double>(Math.Max(0, (_time.GetUtcNow() - live.PublishedAt).TotalSeconds))];
    }

    private static KeyValuePair<string, object?> Tempo(TrainingTempo tempo) => new("tempo", LastTraining.Name(tempo));
}
