using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using BeeFormer.Streaming.Profiles.Redis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace BeeFormer.Streaming.Profiles;

public static class RedisProfilesRegistration
{
    /// <summary>Where the server is, as StackExchange.Redis writes it: <c>host:port,password=…</c>.</summary>
    public const string ConfigurationKey = "Redis:Configuration";

    /// <summary>PEM file of the certificates that may sign the server's. Default: those of the operating system.</summary>
    public const string AuthorityKey = "Redis:CaCertificate";

    /// <summary>Profiles in the Redis that <c>Redis:Configuration</c> names. A server that is away does not stop the start: reading and writing profiles fail until it is there.</summary>
    /// <exception cref="OptionsValidationException">A key is missing or cannot be read.</exception>
    public static IServiceCollection AddRedisProfiles(this IServiceCollection services, IConfiguration configuration)
    {
        var server = Parse(configuration);
        var options = ProfilesRegistration.Options(configuration);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IProfiles>(provider => new RedisProfiles(
            ConnectAsync(server), options, new RedisCalls(string.Join(", ", server.EndPoints), provider.GetRequiredService<TimeProvider>())));
        return services;
    }

    /// <summary>Nobody waits for a server that hangs but who asks it something, and that for as long as the question may take.</summary>
    private static Task<IConnectionMultiplexer> ConnectAsync(ConfigurationOptions server) =>
        Task.Run(async () => (IConnectionMultiplexer)await ConnectionMultiplexer.ConnectAsync(server).ConfigureAwait(false));

    internal static ConfigurationOptions Parse(IConfiguration configuration)
    {
        var server = Parse(configuration[ConfigurationKey]);
        if (configuration[AuthorityKey] is not { Length: > 0 } file) return server;
        if (!server.Ssl) throw Wrong(AuthorityKey, $"is set and {ConfigurationKey} lacks ssl=true; expected both or neither");
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        try
        {
            trust.CustomTrustStore.ImportFromPemFile(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw Wrong(AuthorityKey, $"is {file}, which cannot be read: {e.Message}");
        }
        if (trust.CustomTrustStore.Count == 0) throw Wrong(AuthorityKey, $"is {file}, which holds no certificate; expected PEM");
        server.SslClientAuthenticationOptions = host => new SslClientAuthenticationOptions { TargetHost = server.SslHost is { Length: > 0 } named ? named : host, CertificateChainPolicy = trust };
        return server;
    }

    internal static ConfigurationOptions Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) throw Wrong("is missing");
        ConfigurationOptions server;
        try
        {
            server = ConfigurationOptions.Parse(text);
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw Wrong("cannot be read"); // not quoted: it may hold the password
        }
        if (server.EndPoints.Count == 0) throw Wrong("names no server");
        server.AbortOnConnectFail = false;
        server.ConnectRetry = 1; // it goes on trying behind the calls
        server.BacklogPolicy = BacklogPolicy.FailFast; // attempts are counted, not queued
        return server;
    }

    private static OptionsValidationException Wrong(string how) => Wrong(ConfigurationKey, $"{how}; expected host:port[,password=…][,ssl=true] as StackExchange.Redis reads it");

    private static OptionsValidationException Wrong(string key, string how) => new(key, typeof(ConfigurationOptions), [$"{key} {how}"]);
}
