using BeeFormer.Streaming.Contracts;
using MassTransit;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Only queues: a training outlasts any message's patience.</summary>
internal sealed class TrainEncoderConsumer(TrainingQueue queue) : IConsumer<TrainEncoder>
{
    public async Task Consume(ConsumeContext<TrainEncoder> context) => await queue.AddAsync(context.Message, context.CancellationToken);
}

internal sealed class ActivateEncoderConsumer(Rollback rollback) : IConsumer<ActivateEncoder>
{
    public async Task Consume(ConsumeContext<ActivateEncoder> context)
    {
        (EncoderPublished? published, EncoderRejected? rejected) = rollback.To(context.Message.Version);
        if (published is not null) await context.Publish(published, context.CancellationToken);
        if (rejected is not null) await context.Publish(rejected, context.CancellationToken);
    }
}
