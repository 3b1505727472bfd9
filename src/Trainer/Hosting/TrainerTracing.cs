using System.Diagnostics;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Trainer;

internal static class TrainerTracing
{
    public static readonly ActivitySource Source = new("BeeFormer.Streaming.Trainer");

    /// <summary>A training, in the trace of whoever asked for it.</summary>
    public static Activity? Start(TrainEncoder request, ActivityContext trace) =>
        Source.StartActivity("train", ActivityKind.Consumer, trace)
            ?.SetTag("beeformer.training", request.TrainingId.ToString()).SetTag("beeformer.tempo", LastTraining.Name(request.Tempo)).SetTag("beeformer.reason", request.Reason);
}
