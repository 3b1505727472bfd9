using System.Collections.Concurrent;
using BeeFormer.Streaming.Contracts;
using MassTransit;

namespace BeeFormer.Streaming.Standalone.Hosting;

/// <param name="Version">Null: nothing was published.</param>
internal sealed record TrainingResult(ModelVersion? Version, string Decision);

/// <summary>Where commands learn how the trainings that they asked for go.</summary>
internal sealed class TrainingBoard
{
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource<TrainingResult>> awaited = new();

    /// <summary>Told of every step of any training.</summary>
    public event Action<TrainingProgressed>? Progressed;

    public Task<TrainingResult> Expect(Guid trainingId) =>
        awaited.GetOrAdd(trainingId, _ => new TaskCompletionSource<TrainingResult>(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Report(TrainingProgressed progress) => Progressed?.Invoke(progress);

    public void Finish(Guid trainingId, TrainingResult result)
    {
        if (awaited.TryGetValue(trainingId, out TaskCompletionSource<TrainingResult>? waiting)) waiting.TrySetResult(result);
    }
}

/// <summary>Pins control messages to the board.</summary>
internal sealed class TrainingBoardConsumer(TrainingBoard board) : IConsumer<TrainingProgressed>, IConsumer<EncoderPublished>, IConsumer<EncoderRejected>
{
    public Task Consume(ConsumeContext<TrainingProgressed> context)
    {
        board.Report(context.Message);
        return Task.CompletedTask;
    }

    public Task Consume(ConsumeContext<EncoderPublished> context)
    {
        board.Finish(context.Message.TrainingId, new TrainingResult(context.Message.Version, context.Message.Decision));
        return Task.CompletedTask;
    }

    public Task Consume(ConsumeContext<EncoderRejected> context)
    {
        board.Finish(context.Message.TrainingId, new TrainingResult(null, context.Message.Decision));
        return Task.CompletedTask;
    }
}
