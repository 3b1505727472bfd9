using System.ComponentModel.DataAnnotations;
using System.Net;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Section <c>Workers</c>: other Trainer processes that share the encoder's training steps. No record: nothing may print the token.</summary>
public sealed class WorkersOptions : IValidatableObject
{
    public const string Section = "Workers";

    /// <summary>Workers that the active Trainer calls where the policy says <c>train_distributed: true</c>: <c>http://host:port</c> or <c>https://…</c>. Default: none.</summary>
    public List<string> Endpoints { get; set; } = [];

    /// <summary>Address on which this process offers itself as a worker: <c>http://IP:port</c> or <c>https://IP:port</c>; other than loopback only with a token. Default: it does not.</summary>
    public string? Listen { get; set; }

    /// <summary>What both sides must know, at least 16 characters. Default: none, loopback only.</summary>
    [MinLength(16, ErrorMessage = "Workers:Token must have at least {1} characters.")]
    public string? Token { get; set; }

    /// <summary>PEM file of the certificates that may sign a worker's. Default: those of the operating system.</summary>
    public string? CaCertificate { get; set; }

    /// <summary>PEM file of the worker's own certificate, for a Listen of https.</summary>
    public string? Certificate { get; set; }

    /// <summary>PEM file of its private key.</summary>
    public string? CertificateKey { get; set; }

    /// <summary>Time for a worker's share of a step, and for taking new weights; one that needs longer is left out for a while, and its share is done by another. Default 2 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00", ErrorMessage = "Workers:Deadline must be {1} to {2}.")]
    public TimeSpan Deadline { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Time for a worker to get the whole encoder. Default 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ErrorMessage = "Workers:JoinDeadline must be {1} to {2}.")]
    public TimeSpan JoinDeadline { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>A worker that its Trainer has not called for so long may be taken by another. Default 2 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00", ErrorMessage = "Workers:Idle must be {1} to {2}.")]
    public TimeSpan Idle { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Where the worker computes: <c>cpu</c> or <c>cuda:N</c>. Default cpu.</summary>
    public string Device { get; set; } = "cpu";

    /// <summary>The worker's memory for graphs kept from the first pass of a step, in MiB: chunks that fit it are not encoded twice. Default 2,048.</summary>
    [Range(0, 1 << 20, ErrorMessage = "Workers:GraphMemoryMb must be {1} to {2}.")]
    public int GraphMemoryMb { get; set; } = 2048;

    /// <summary>Largest encoder that a worker takes, in MiB of files. Default 4,096.</summary>
    [Range(1, 1 << 20, ErrorMessage = "Workers:MaxModelMb must be {1} to {2}.")]
    public int MaxModelMb { get; set; } = 4096;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (string endpoint in Endpoints)
            if (!Uri.TryCreate(endpoint, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https")) yield return new($"Workers:Endpoints holds '{endpoint}'; expected http://host:port or https://host:port.");
        if (!TrainingDevices.IsName(Device)) yield return new($"Workers:Device is '{Device}'; expected cpu, cuda or cuda:N.");
        if (string.IsNullOrEmpty(Listen)) yield break;
        if (Address(Listen) is not { } address) yield return new($"Workers:Listen is '{Listen}'; expected http://IP:port or https://IP:port.");
        else
        {
            if (!IPAddress.IsLoopback(address.Address) && string.IsNullOrEmpty(Token)) yield return new($"Workers:Listen is '{Listen}', which others can reach; set Workers:Token, or listen on 127.0.0.1.");
            if (IsHttps && (string.IsNullOrEmpty(Certificate) || string.IsNullOrEmpty(CertificateKey))) yield return new($"Workers:Listen is '{Listen}'; set Workers:Certificate and Workers:CertificateKey, too.");
        }
    }

    internal bool IsHttps => Listen?.StartsWith("https:", StringComparison.OrdinalIgnoreCase) == true;

    /// <returns>Null: it is no address to listen on.</returns>
    internal static IPEndPoint? Address(string listen) =>
        Uri.TryCreate(listen, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" && IPAddress.TryParse(uri.Host == "localhost" ? "127.0.0.1" : uri.Host.Trim('[', ']'), out IPAddress? address)
            ? new IPEndPoint(address, uri.Port) : null;
}
