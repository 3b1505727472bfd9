using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.ServiceDefaults;

/// <summary>Tells a control message to whom it concerns, or gives up soon and says so in the log: its readers find out by looking. Only cancellation ends it with an exception.</summary>
public delegate Task PublishControlMessage(object message, CancellationToken cancellationToken);

public static class ControlMessages
{
    /// <summary>A bus that is connected takes milliseconds; one that is not waits, or never answers.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    /// <summary>Registers <see cref="PublishControlMessage"/> over <see cref="IBus"/>.</summary>
    public static IServiceCollection AddControlMessages(this IServiceCollection services)
    {
        services.TryAddSingleton(provider =>
        {
            var bus = provider.GetRequiredService<IBus>();
            return Over((message, token) => bus.Publish(message, message.GetType(), token), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<PublishControlMessage>>());
        });
        return services;
    }

    /// <summary>One attempt, since a late message helps nobody.</summary>
    public static PublishControlMessage Over(Func<object, CancellationToken, Task> publish, TimeProvider time, ILogger logger) => async (message, cancellationToken) =>
    {
        using var patience = new CancellationTokenSource(s_patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await publish(message, either.Token).WaitAsync(either.Token); // it may not heed the token
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            logger.LogWarning(failure, "{Message} was not sent; its readers find out by looking", message.GetType().Name);
        }
    };
}
