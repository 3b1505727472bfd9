using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>The one connection to the server.</summary>
internal static class QdrantChannel
{
    private const int MaxAnswerBytes = 64 << 20;

    public static GrpcChannel Open(QdrantOptions options) => GrpcChannel.ForAddress(options.Endpoint, new GrpcChannelOptions
    {
        // A client, not its handler: so that each attempt connects, and none is refused for the sake of one that failed before.
        HttpClient = new HttpClient(new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = TrustIn(options.CaCertificate) },
        }) { Timeout = Timeout.InfiniteTimeSpan },
        DisposeHttpClient = true,
        CompressionProviders = [], // a server that may compress does, for every answer, and takes several times as long
        MaxReceiveMessageSize = MaxAnswerBytes,
    });

    /// <returns>Null: no key.</returns>
    public static string? Key(QdrantOptions options) =>
        !string.IsNullOrEmpty(options.ApiKey) ? options.ApiKey : string.IsNullOrEmpty(options.ApiKeyFile) ? null : KeyIn(options.ApiKeyFile);

    public static string KeyIn(string file) => File.ReadAllText(file).Trim();

    private static X509ChainPolicy? TrustIn(string? file)
    {
        if (string.IsNullOrEmpty(file)) return null;
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(file);
        return policy;
    }
}
