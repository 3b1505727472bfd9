using BeeFormer.Streaming.Contracts;
using MassTransit;

namespace BeeFormer.Streaming.Api;

/// <summary>What the services said last of their long work. A message that was lost is followed by another; the stores hold the truth.</summary>
internal sealed class PipelineNews
{
    private volatile ReindexProgressed? _reindex;
    private volatile TrainingProgressed? _training;

    /// <summary>Null: no collection is being built, as far as anybody said.</summary>
    public ReindexProgressed? Reindex { get => _reindex; set => _reindex = value; }

    /// <summary>The training that was heard of last, be it still running or not.</summary>
    public TrainingProgressed? Training { get => _training; set => _training = value; }
}

internal sealed class PipelineNewsConsumer(PipelineNews news) : IConsumer<TrainingProgressed>, IConsumer<ReindexProgressed>, IConsumer<IndexSwitched>
{
    public Task Consume(ConsumeContext<TrainingProgressed> context)
    {
        news.Training = context.Message;
        return Task.CompletedTask;
    }

    public Task Consume(ConsumeContext<ReindexProgressed> context)
    {
        news.Reindex = context.Message;
        return Task.CompletedTask;
    }

    public Task Consume(ConsumeContext<IndexSwitched> context)
    {
        news.Reindex = null;
        return Task.CompletedTask;
    }
}
