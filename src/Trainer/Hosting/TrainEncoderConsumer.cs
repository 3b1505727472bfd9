using BeeFormer.Streaming.Contracts;
using MassTransit;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Only writes down what has no record yet, and hurries: a training outlasts any message's patience. A Trainer that stands by does so, too.</summary>
internal sealed class TrainEncoderConsumer(TrainingQueue queue) : IConsumer<TrainEncoder>
{
    public async Task Consume(ConsumeContext<TrainEncoder> context)
    {
        if (queue.Add(context.Message) is { } refusal) await context.Publish(new EncoderRejected(context.Message.TrainingId, refusal), context.CancellationToken);
    }
}

internal sealed class CancelTrainingConsumer(TrainingQueue queue) : IConsumer<CancelTraining>
{
    public Task Consume(ConsumeContext<CancelTraining> context)
    {
        queue.Cancel(context.Message.TrainingId);
        return Task.CompletedTask;
    }
}
