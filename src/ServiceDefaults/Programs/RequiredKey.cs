using Microsoft.Extensions.Configuration;

namespace BeeFormer.Streaming.ServiceDefaults;

/// <summary>A configuration key without which a service that runs alone cannot do its work.</summary>
/// <param name="What">What is to be given, with an example.</param>
public sealed record RequiredKey(string Key, string What)
{
    /// <exception cref="InvalidDataException">Names every key that is missing.</exception>
    internal static void Check(string service, IReadOnlyList<RequiredKey> needs, IConfiguration configuration)
    {
        RequiredKey[] missing = [.. needs.Where(need => string.IsNullOrWhiteSpace(configuration[need.Key]))];
        if (missing.Length == 0) return;
        throw new InvalidDataException(
            $"The {service} service needs servers, and of these no setting says where they are: {string.Join("; ", missing.Select(need => $"{need.Key} ({need.What})"))}. " +
            $"Set them, for example in the environment as {missing[0].Key.Replace(":", "__", StringComparison.Ordinal)}. To run everything in one process without servers: beeformer serve.");
    }
}
