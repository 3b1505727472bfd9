using Microsoft.Extensions.Configuration;

namespace BeeFormer.Streaming.WindowStore.S3;

/// <summary>Looks whether the bucket of <c>Storage:Uri</c> can be listed, and changes nothing there.</summary>
public static class S3Reach
{
    /// <summary>Whether the store lies on S3 at all.</summary>
    public static bool IsConfigured(IConfiguration configuration) => configuration[$"{StorageOptions.Section}:{nameof(StorageOptions.Uri)}"]?.StartsWith(S3Location.Scheme, StringComparison.Ordinal) == true;

    /// <returns>What answered, in words.</returns>
    /// <exception cref="InvalidDataException">A setting is wrong.</exception>
    /// <exception cref="IOException">No answer in time, no such bucket, or access is denied. The sentence names bucket and reason, and no secret.</exception>
    public static async Task<string> AskAsync(IConfiguration configuration, TimeSpan limit, CancellationToken cancellationToken)
    {
        StorageOptions options = configuration.ReadStorageOptions();
        S3Location location = S3Location.TryParse(options.Uri)!;
        using var objects = new S3Objects(S3Client.Create(options.S3), location, new S3Resilience(limit, 0, TimeSpan.Zero, TimeProvider.System)); // the caller counts attempts
        await Task.Run(() => objects.List("a-name-that-no-object-has"), cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
        return $"{location} can be listed";
    }
}
