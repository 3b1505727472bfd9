using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.ServiceDefaults;

/// <summary>
/// Control messages between services: over RabbitMQ where <c>RabbitMq:Host</c> is set, else inside this process. They only hurry what its receiver would find out by itself, so each instance has a queue of its own that goes with it,
/// nothing waits for the broker, and a message that is lost, doubled or late does no harm.
/// </summary>
public static class ControlPlane
{
    /// <summary>Leftover queues of instances that died go after this time.</summary>
    private static readonly TimeSpan s_expiration = TimeSpan.FromMinutes(5);

    public static IHostApplicationBuilder AddControlPlane(this IHostApplicationBuilder builder, Action<IBusRegistrationConfigurator> addConsumers)
    {
        IServiceCollection services = builder.Services;
        services.AddCheckedOptions<RabbitMqOptions>(RabbitMqOptions.Section);
        bool overRabbitMq = !string.IsNullOrWhiteSpace(builder.Configuration[$"{RabbitMqOptions.Section}:{nameof(RabbitMqOptions.Host)}"]);
        services.AddMassTransit(bus =>
        {
            addConsumers(bus);
            bus.AddConfigureEndpointsCallback((_, _, endpoint) =>
            {
                if (endpoint is not IRabbitMqReceiveEndpointConfigurator queue) return;
                // Newer brokers know no queue that is neither durable nor one connection's own.
                queue.Durable = true;
                queue.AutoDelete = true;
                queue.QueueExpiration = s_expiration;
            });
            // The broker may be away; what waits for its messages looks for itself, so an instance without it is degraded, not out of service.
            bus.ConfigureHealthCheckOptions(health => health.MinimalFailureStatus = HealthStatus.Degraded);
            if (overRabbitMq) bus.UsingRabbitMq(UseRabbitMq);
            else bus.UsingInMemory((context, transport) => transport.ConfigureEndpoints(context));
        });
        services.Configure<UsageTelemetryOptions>(options => options.Enabled = false); // no word to anybody else's host
        services.Configure<MassTransitHostOptions>(options => options.WaitUntilStarted = !overRabbitMq);
        return builder;
    }

    /// <summary>Every instance of the service gets every message.</summary>
    public static void OfThisInstance<TConsumer>(this IConsumerRegistrationConfigurator<TConsumer> consumer) where TConsumer : class, IConsumer => consumer.Endpoint(endpoint =>
    {
        endpoint.InstanceId = Guid.NewGuid().ToString("N");
        endpoint.Temporary = true;
    });

    private static void UseRabbitMq(IBusRegistrationContext context, IRabbitMqBusFactoryConfigurator transport)
    {
        RabbitMqOptions options = context.GetRequiredService<IOptions<RabbitMqOptions>>().Value;
        transport.Host(options.Host, options.Port ?? (ushort)(options.UseTls ? 5671 : 5672), options.VirtualHost, host =>
        {
            host.Username(options.Username);
            host.Password(options.Password);
            if (options.UseTls) host.UseSsl(tls => UseTls(tls, options));
        });
        transport.ConfigureEndpoints(context);
    }

    private static void UseTls(IRabbitMqSslConfigurator tls, RabbitMqOptions options)
    {
        tls.Protocol = SslProtocols.None; // the operating system's choice
        tls.ServerName = options.Host;
        if (options.CaFile is null) return;
        X509Certificate2Collection authorities = [];
        authorities.ImportFromPemFile(options.CaFile);
        tls.CertificateValidationCallback = (_, certificate, _, errors) =>
        {
            if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)) return false;
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
            using var server = new X509Certificate2(certificate);
            return chain.Build(server);
        };
    }
}
