[assembly: AssemblyFixture(typeof(BeeFormer.Streaming.Deployment.Tests.MadeSecrets))]

namespace BeeFormer.Streaming.Deployment.Tests;

/// <summary>What <c>infra/make-secrets</c> makes, in a folder of the tests' own.</summary>
public sealed class MadeSecrets : IAsyncLifetime
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("beeformer-secrets-").FullName;

    public string At(string file) => Path.Combine(Folder, file);

    public string Read(string file) => File.ReadAllText(At(file)).Trim();

    public Task MakeAsync() => Repository.RunAsync("bash, openssl", "bash", Repository.PathOf("infra", "make-secrets"), Folder);

    public async ValueTask InitializeAsync() => await MakeAsync();

    public ValueTask DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}
