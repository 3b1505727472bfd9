using System.Diagnostics;

namespace BeeFormer.Streaming.Trainer;

internal static class TrainerTracing
{
    public static readonly ActivitySource Source = new("BeeFormer.Streaming.Trainer");

    /// <summary>A training, in the trace of whoever asked for it.</summary>
    public static Activity? Start(QueuedTraining training) =>
        Source.StartActivity("train", ActivityKind.Consumer, training.Trace)
            ?.SetTag("beeformer.training", training.Request.TrainingId.ToString()).SetTag("beeformer.tempo", LastTraining.Name(training.Request.Tempo)).SetTag("beeformer.reason", training.Request.Reason);
}
