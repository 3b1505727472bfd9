using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.FileProviders;

namespace BeeFormer.Streaming.ServiceDefaults;

/// <summary>Settings that are nobody else's business, each a file of its own as orchestrators mount them: <c>RabbitMq__Password</c> is <c>RabbitMq:Password</c>. A file <c>keys.json</c> holds section <c>ApiKeys</c>.</summary>
public static class Secrets
{
    /// <summary>Configuration key of the folder.</summary>
    public const string Key = "Secrets";
    public const string DefaultFolder = "/run/secrets";
    private const string ApiKeys = "keys.json";

    /// <summary>Adds the folder that <see cref="Key"/> names, above all sources so far. One that is named has to be there; the default one need not.</summary>
    /// <exception cref="InvalidDataException">The folder that is named is not there.</exception>
    public static void AddSecrets(this IConfigurationManager configuration)
    {
        string? named = configuration[Key];
        string folder = Path.GetFullPath(string.IsNullOrEmpty(named) ? DefaultFolder : named);
        if (!Directory.Exists(folder))
        {
            if (!string.IsNullOrEmpty(named)) throw new InvalidDataException($"{Key} is {named}, which is no folder; expected one with a file for each secret.");
            return;
        }
        configuration.AddKeyPerFile(files =>
        {
            files.FileProvider = new PhysicalFileProvider(folder);
            files.IgnoreCondition = name => name.StartsWith('.') || name == ApiKeys;
            files.Optional = true;
        });
        // Mounted files are replaced by moving a link, which nothing but looking notices.
        configuration.AddJsonFile(new PhysicalFileProvider(folder) { UsePollingFileWatcher = true, UseActivePolling = true }, ApiKeys, optional: true, reloadOnChange: true);
    }
}
