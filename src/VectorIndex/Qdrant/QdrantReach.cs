using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Configuration;
using Qdrant.Client.Grpc;
using QdrantService = Qdrant.Client.Grpc.Qdrant;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>Looks whether the configured Qdrant answers, and changes nothing there.</summary>
public static class QdrantReach
{
    /// <returns>What answered, in words.</returns>
    /// <exception cref="InvalidDataException">A setting is wrong.</exception>
    /// <exception cref="IOException">No answer in time, or a refusal. The sentence names the address, and no secret.</exception>
    public static async Task<string> AskAsync(IConfiguration configuration, TimeSpan limit, CancellationToken cancellationToken)
    {
        QdrantOptions options;
        try
        {
            options = configuration.GetSection(QdrantOptions.Section).Get<QdrantOptions>(binder => binder.ErrorOnUnknownConfiguration = true) ?? new QdrantOptions();
        }
        catch (InvalidOperationException wrong)
        {
            throw new InvalidDataException($"Section {QdrantOptions.Section}: {wrong.Message}", wrong);
        }
        if (new QdrantOptionsCheck().Validate(null, options) is { Failed: true } check) throw new InvalidDataException(check.FailureMessage);

        string address = new Uri(options.Endpoint).Authority;
        var headers = new Metadata();
        if (QdrantChannel.Key(options) is { } key) headers.Add("api-key", key);
        using GrpcChannel channel = QdrantChannel.Open(options);
        try
        {
            HealthCheckReply answer = await new QdrantService.QdrantClient(channel)
                .HealthCheckAsync(new HealthCheckRequest(), headers, TimeProvider.System.GetUtcNow().UtcDateTime + limit, cancellationToken).ConfigureAwait(false);
            return $"{address} answers, version {answer.Version}";
        }
        catch (RpcException failure)
        {
            throw new IOException($"Qdrant at {address}: {failure.StatusCode}: {failure.Status.Detail}", failure);
        }
    }
}
