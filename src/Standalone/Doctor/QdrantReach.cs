using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Configuration;
using Wire = Qdrant.Client.Grpc;

namespace BeeFormer.Streaming.Standalone.Doctor;

/// <summary>Looks whether the configured Qdrant answers, and changes nothing there.</summary>
internal static class QdrantReach
{
    public const string Endpoint = "Qdrant:Endpoint";

    /// <returns>What answered, in words.</returns>
    /// <exception cref="InvalidDataException">The key cannot be read.</exception>
    /// <exception cref="IOException">No answer in time, or a refusal. The sentence names host and port, and no secret.</exception>
    public static async Task<string> AskAsync(IConfiguration configuration, TimeSpan limit, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(configuration[Endpoint], UriKind.Absolute, out Uri? endpoint) || endpoint.Scheme is not ("http" or "https"))
            throw new InvalidDataException($"{Endpoint} cannot be read; expected the address of Qdrant's gRPC port, like http://127.0.0.1:6334.");
        var headers = new Metadata();
        if (configuration["Qdrant:ApiKey"] is { Length: > 0 } key) headers.Add("api-key", key);
        try
        {
            using GrpcChannel channel = GrpcChannel.ForAddress(endpoint);
            Wire.HealthCheckReply answer = await new Wire.Qdrant.QdrantClient(channel).HealthCheckAsync(new Wire.HealthCheckRequest(), headers, TimeProvider.System.GetUtcNow().UtcDateTime + limit, cancellationToken);
            return $"{endpoint.Host}:{endpoint.Port} answers, version {answer.Version}";
        }
        catch (RpcException failure)
        {
            throw new IOException($"Qdrant at {endpoint.Host}:{endpoint.Port}: {failure.StatusCode}: {failure.Status.Detail}", failure);
        }
    }
}
