using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace BeeFormer.Streaming.Profiles.Redis;

/// <summary>Looks whether the configured Redis answers, and changes nothing there.</summary>
public static class RedisReach
{
    /// <returns>What answered, in words.</returns>
    /// <exception cref="InvalidDataException">A key cannot be read.</exception>
    /// <exception cref="IOException">No answer in time, or a refusal. The sentence names the endpoints, and no secret.</exception>
    public static async Task<string> AskAsync(IConfiguration configuration, TimeSpan limit, CancellationToken cancellationToken)
    {
        ConfigurationOptions server;
        try
        {
            server = RedisProfilesRegistration.Parse(configuration);
        }
        catch (OptionsValidationException wrong)
        {
            throw new InvalidDataException(wrong.Message, wrong);
        }
        string endpoints = string.Join(", ", server.EndPoints);
        server.AbortOnConnectFail = true;
        server.ConnectRetry = 0; // the caller counts attempts
        server.ConnectTimeout = server.AsyncTimeout = (int)limit.TotalMilliseconds;
        try
        {
            await using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(server).WaitAsync(cancellationToken).ConfigureAwait(false);
            await connection.GetDatabase().PingAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            return $"answers PING at {endpoints}, version {connection.GetServers()[0].Version}";
        }
        catch (RedisConnectionException failure)
        {
            throw new IOException($"Redis at {endpoints} could not be reached ({failure.FailureType})", failure);
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException)
        {
            throw new IOException($"Redis at {endpoints} {(failure is RedisServerException ? $"refused PING: {failure.Message}" : "did not answer in time")}", failure);
        }
    }
}
