using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.FakeQdrant;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>Keys and certificates.</summary>
public sealed class QdrantAccessTests : IDisposable
{
    private static readonly CollectionInfo Items = new("items-aaaaaaaa", 3, new Fingerprint(new string('a', 64)), new ModelVersion("000001-aaaaaaaa"));
    private readonly string folder = Directory.CreateTempSubdirectory("qdrant-access-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_key_opens_and_a_wrong_one_does_not()
    {
        await using var server = await FakeQdrantServer.StartAsync(new() { ApiKey = "the-key", ReadOnlyApiKey = "the-reading-key" });
        string file = Path.Combine(folder, "key");
        await File.WriteAllTextAsync(file, "the-key\n", Token);
        using (var index = QdrantFixture.Index(server, set: options => options.ApiKeyFile = file)) await index.CreateAsync(Items, Token);
        using (var index = QdrantFixture.Index(server, set: options => options.ApiKey = "the-key")) Assert.NotNull(await index.FindAsync(Items.Name, Token));

        foreach (string? key in new[] { null, "another-key" })
        {
            int before = server.Attempts("Collections/Get");
            using var index = QdrantFixture.Index(server, set: options => options.ApiKey = key);
            var refusal = await Assert.ThrowsAsync<IOException>(async () => await index.FindAsync(Items.Name, Token));
            Assert.Contains("Unauthenticated", refusal.Message, StringComparison.Ordinal);
            Assert.Contains("Qdrant:ApiKey", refusal.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("another-key", refusal.ToString(), StringComparison.Ordinal);
            Assert.Equal(1, server.Attempts("Collections/Get") - before);
        }
    }

    [Fact]
    public async Task A_key_for_reading_reads()
    {
        await using var server = await FakeQdrantServer.StartAsync(new() { ApiKey = "the-key", ReadOnlyApiKey = "the-reading-key" });
        using (var writer = QdrantFixture.Index(server, set: options => options.ApiKey = "the-key")) await writer.CreateAsync(Items, Token);
        using var reader = QdrantFixture.Index(server, set: options => options.ApiKey = "the-reading-key");
        Assert.Equal(0, await reader.CountAsync(Items.Name, ItemFilter.None, Token));
        var refusal = await Assert.ThrowsAsync<IOException>(async () => await reader.DeleteAsync(Items.Name, [(new("a"), 1)], Token));
        Assert.Contains("Points/Upsert: PermissionDenied", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(1, server.Attempts("Points/Upsert"));
    }

    [Fact]
    public async Task A_server_is_trusted_by_the_authority_that_is_configured()
    {
        using var authority = Authority("the authority");
        using var stranger = Authority("somebody");
        await using var server = await FakeQdrantServer.StartAsync(new() { Certificate = Signed(authority) });
        string endpoint = $"https://127.0.0.1:{server.Endpoint.Port}";
        using (var index = QdrantFixture.Index(endpoint, set: options => options.CaCertificate = Pem(authority)))
        {
            await index.CreateAsync(Items, Token);
            Assert.Equal([Items], await index.ListAsync(Token));
        }
        foreach (string? trusted in new[] { null, Pem(stranger) })
        {
            using var index = QdrantFixture.Index(endpoint, new ImpatientClock(), options => options.CaCertificate = trusted);
            Assert.Contains(endpoint, (await Assert.ThrowsAsync<IOException>(async () => await index.ListAsync(Token))).Message, StringComparison.Ordinal);
        }
    }

    private string Pem(X509Certificate2 certificate)
    {
        string file = Path.Combine(folder, certificate.Thumbprint + ".pem");
        File.WriteAllText(file, certificate.ExportCertificatePem());
        return file;
    }

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(2));
    }

    private static X509Certificate2 Signed(X509Certificate2 authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(authority, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), [1, 2, 3]);
        using var withKey = signed.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }
}
