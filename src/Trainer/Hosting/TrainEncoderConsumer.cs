using BeeFormer.Streaming.Contracts;
using MassTransit;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Only queues: a training outlasts any message's patience.</summary>
internal sealed class TrainEncoderConsumer(TrainingQueue queue) : IConsumer<TrainEncoder>
{
    public async Task Consume(ConsumeContext<TrainEncoder> context) => await queue.AddAsync(context.Message, context.CancellationToken);
}
