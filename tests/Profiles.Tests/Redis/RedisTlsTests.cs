using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using BeeFormer.Streaming.Profiles.Redis;
using BeeFormer.Streaming.Servers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Profiles.Tests.Redis;

/// <summary>Whose certificate is believed.</summary>
public sealed class RedisTlsTests(RedisTlsTests.Server server) : IClassFixture<RedisTlsTests.Server>
{
    /// <summary>Its certificate is for <c>localhost</c> alone and signed by an authority of its own.</summary>
    public sealed class Server : RedisServer
    {
        private static readonly DateTimeOffset s_from = DateTimeOffset.UtcNow.AddDays(-1), s_until = s_from.AddDays(30);

        public Server()
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var authority = Authority("authority", key);
            File.WriteAllText(At("authority.pem"), authority.ExportCertificatePem());
            using var otherKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var other = Authority("other", otherKey);
            File.WriteAllText(At("other.pem"), other.ExportCertificatePem());

            using var serverKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=localhost", serverKey, HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName("localhost");
            request.CertificateExtensions.Add(names.Build());
            using var certificate = request.Create(authority, s_from, s_until, [1]);
            File.WriteAllText(At("server.pem"), certificate.ExportCertificatePem());
            File.WriteAllText(At("server.key"), serverKey.ExportPkcs8PrivateKeyPem());
        }

        public int TlsPort { get; } = Ports.Take();

        protected override string[] Settings =>
            ["--tls-port", TlsPort.ToString(CultureInfo.InvariantCulture), "--tls-cert-file", At("server.pem"), "--tls-key-file", At("server.key"), "--tls-ca-cert-file", At("authority.pem"), "--tls-auth-clients", "no"];

        public string At(string file) => Path.Combine(Folder, file);

        private static X509Certificate2 Authority(string name, ECDsa key)
        {
            var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            return request.CreateSelfSigned(s_from, s_until);
        }
    }

    [Fact]
    public async Task A_server_whose_authority_is_named_is_believed() => Assert.StartsWith("answers PING at", await AskAsync("localhost", "authority.pem"), StringComparison.Ordinal);

    [Theory]
    [InlineData("localhost", null)]
    [InlineData("localhost", "other.pem")]
    [InlineData("127.0.0.1", "authority.pem")] // which the certificate does not name
    public async Task No_other_server_is(string host, string? authority) => await Assert.ThrowsAsync<IOException>(() => AskAsync(host, authority));

    [Theory]
    [InlineData("localhost:1,ssl=true", "nowhere.pem", "Redis:CaCertificate is * which cannot be read: *")]
    [InlineData("localhost:1,ssl=true", "server.key", "Redis:CaCertificate is * which holds no certificate; expected PEM")]
    [InlineData("localhost:1", "authority.pem", "Redis:CaCertificate is set and Redis:Configuration lacks ssl=true; expected both or neither")]
    public void A_wrong_setting_is_named(string servers, string authority, string sentence)
    {
        var wrong = Assert.Throws<OptionsValidationException>(() => RedisProfilesRegistration.Parse(Configuration(servers, server.At(authority))));
        Assert.Matches(sentence.Replace("*", ".*", StringComparison.Ordinal), Assert.Single(wrong.Failures));
    }

    private async Task<string> AskAsync(string host, string? authority)
    {
        server.Connect(); // skips where there is none
        return await RedisReach.AskAsync(Configuration($"{host}:{server.TlsPort},ssl=true", authority is null ? null : server.At(authority)), TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
    }

    private static IConfiguration Configuration(string servers, string? authority) =>
        new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create("Redis:Configuration", (string?)servers), KeyValuePair.Create("Redis:CaCertificate", authority)]).Build();
}
