using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>What the annotations cannot say; names every setting that is wrong, and what was expected.</summary>
internal sealed class QdrantOptionsCheck : IValidateOptions<QdrantOptions>
{
    public ValidateOptionsResult Validate(string? name, QdrantOptions options)
    {
        string[] problems = [.. Problems(options)];
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static IEnumerable<string> Problems(QdrantOptions options)
    {
        bool isAddress = Uri.TryCreate(options.Endpoint, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" && address.PathAndQuery == "/" && address.UserInfo.Length == 0;
        if (!isAddress) yield return $"Qdrant:Endpoint is \"{options.Endpoint}\"; expected http://host:6334 or https://host:6334.";
        if (!string.IsNullOrEmpty(options.ApiKey) && !string.IsNullOrEmpty(options.ApiKeyFile)) yield return "Qdrant:ApiKey and Qdrant:ApiKeyFile are both set; expected one of them.";
        if (Printable(options.ApiKey) is false) yield return "Qdrant:ApiKey has characters that no header may hold; expected printable ASCII.";
        if (FileProblem(options.ApiKeyFile, file => Printable(QdrantChannel.KeyIn(file)) is true ? null : "holds no key of printable ASCII") is { } keyFile) yield return $"Qdrant:ApiKeyFile {keyFile}.";
        if (FileProblem(options.CaCertificate, CertificateProblem) is { } certificate) yield return $"Qdrant:CaCertificate {certificate}.";
        if (!string.IsNullOrEmpty(options.CaCertificate) && isAddress && address!.Scheme != "https") yield return "Qdrant:CaCertificate is set and Qdrant:Endpoint is not https.";
        foreach (var (attribute, kind) in options.IndexedAttributes)
            if (!Enum.IsDefined(kind)) yield return $"Qdrant:IndexedAttributes:{attribute} is {kind}; expected Keyword, Float, Bool or Datetime.";
    }

    /// <returns>Null when there is no key.</returns>
    private static bool? Printable(string? key) => string.IsNullOrEmpty(key) ? null : key.All(c => c is >= ' ' and <= '~');

    private static string? FileProblem(string? file, Func<string, string?> look)
    {
        if (string.IsNullOrEmpty(file)) return null;
        try
        {
            return look(file) is { } problem ? $"{file} {problem}" : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return $"{file} cannot be read: {e.Message}";
        }
    }

    private static string? CertificateProblem(string file)
    {
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPemFile(file);
        return certificates.Count == 0 ? "holds no certificate; expected PEM" : null;
    }
}
