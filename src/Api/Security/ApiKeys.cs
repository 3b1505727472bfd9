using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace BeeFormer.Streaming.Api;

/// <summary>
/// The keys that the configuration names, read anew when it changes. It fails closed: once there were keys, every request needs one for as long as the process lives, and a change that cannot be read,
/// or a section that has vanished, leaves the keys as they were.
/// </summary>
internal sealed class ApiKeys : IDisposable
{
    private readonly IConfiguration _configuration;
    private readonly ILogger<ApiKeys> _logger;
    private readonly IDisposable _reloading;
    private readonly SemaphoreSlim _oneAtATime = new(1); // deriving is slow on purpose: strangers shall not have all cores do it
    private volatile KeySet _current = new([]);

    /// <exception cref="OptionsValidationException">Names the entry that cannot be used.</exception>
    public ApiKeys(IConfiguration configuration, ILogger<ApiKeys> logger)
    {
        (_configuration, _logger) = (configuration, logger);
        Take(ApiKeyEntry.Read(configuration));
        _reloading = ChangeToken.OnChange(configuration.GetReloadToken, Reload);
    }

    /// <summary>False: there is no key, and whoever reaches the loopback interface may do everything.</summary>
    public bool Required { get; private set; }

    /// <returns>Null: nobody's key.</returns>
    public async ValueTask<ApiKeyEntry?> FindAsync(string key, CancellationToken cancellationToken)
    {
        var keys = _current;
        if (ApiKeyHash.SaltOf(key) is not { } salt || !keys.BySalt.TryGetValue(salt, out var found)) return null;
        string digest = keys.Digest(key);
        if (keys.Verified.TryGetValue(digest, out var entry)) return entry;

        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            if (keys.Verified.TryGetValue(digest, out entry)) return entry; // by the request before, while this one waited
            if (!found.Hash.Fits(key)) return null;
        }
        finally
        {
            _oneAtATime.Release();
        }
        return keys.Verified[digest] = found.Entry;
    }

    public void Dispose()
    {
        _reloading.Dispose();
        _oneAtATime.Dispose();
    }

    private void Reload()
    {
        try
        {
            if (_configuration.GetSection(ApiKeyEntry.Section).Exists()) Take(ApiKeyEntry.Read(_configuration));
            else if (Required) _logger.LogError("The configuration no longer holds {Section}; the keys stay as they were", ApiKeyEntry.Section);
        }
        catch (OptionsValidationException invalid)
        {
            _logger.LogError("The keys stay as they were, since the changed configuration cannot be used: {Problem}", string.Join(" ", invalid.Failures));
        }
    }

    private void Take(IReadOnlyList<ApiKeyEntry> entries)
    {
        if (Required) _logger.LogInformation("Keys from now on: {Names}", string.Join(", ", entries.Select(entry => entry.Name)));
        _current = new KeySet(entries);
        Required |= entries.Count > 0;
    }

    /// <summary>Verified keys are remembered by a digest that means nothing outside this process, so that only the first request of each pays for the derivation.</summary>
    private sealed class KeySet(IReadOnlyList<ApiKeyEntry> entries)
    {
        private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);

        public FrozenDictionary<string, (ApiKeyHash Hash, ApiKeyEntry Entry)> BySalt { get; } =
            entries.Select(entry => (Hash: ApiKeyHash.Parse(entry.Hash)!, Entry: entry)).ToFrozenDictionary(key => key.Hash.Salt, StringComparer.Ordinal);
        public ConcurrentDictionary<string, ApiKeyEntry> Verified { get; } = new(StringComparer.Ordinal);

        public string Digest(string key) => Convert.ToHexString(HMACSHA256.HashData(_secret, Encoding.UTF8.GetBytes(key)));
    }
}
