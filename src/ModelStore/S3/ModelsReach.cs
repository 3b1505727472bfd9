using Microsoft.Extensions.Configuration;

namespace BeeFormer.Streaming.ModelStore.S3;

/// <summary>Looks whether the bucket of <c>Models:Uri</c> can be listed, and changes nothing there.</summary>
public static class ModelsReach
{
    /// <summary>Whether the models lie on S3 at all.</summary>
    public static bool IsConfigured(IConfiguration configuration) => configuration[S3Place.Setting]?.StartsWith(S3Location.Scheme, StringComparison.Ordinal) == true;

    /// <returns>What answered, in words.</returns>
    /// <exception cref="InvalidDataException">A setting is wrong.</exception>
    /// <exception cref="IOException">No answer in time, no such bucket, or access is denied. The sentence names bucket and reason, and no secret.</exception>
    public static async Task<string> AskAsync(IConfiguration configuration, TimeSpan limit, CancellationToken cancellationToken)
    {
        ModelStoreOptions options = ModelStoreOptions.Read(configuration);
        S3Location location = S3Location.TryParse(options.Uri)!;
        (S3Options reach, string section) = options.Reach(configuration);
        using var objects = new S3Objects(S3Client.Create(reach, section: section), location, new S3Resilience(limit, 0, TimeSpan.Zero, TimeProvider.System), setting: S3Place.Setting); // the caller counts attempts
        await Task.Run(() => objects.List("a-name-that-no-object-has"), cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
        return $"{location} can be listed";
    }
}
