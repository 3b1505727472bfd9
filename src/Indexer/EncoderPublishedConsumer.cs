using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.ServiceDefaults;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace BeeFormer.Streaming.Indexer;

/// <summary>Hurries the comparison of index and live model; the ModelStore says what is live.</summary>
internal sealed class EncoderPublishedConsumer([FromKeyedServices(IndexerHosting.Published)] WakeSignal published) : IConsumer<EncoderPublished>
{
    public Task Consume(ConsumeContext<EncoderPublished> context)
    {
        published.Wake();
        return Task.CompletedTask;
    }
}
