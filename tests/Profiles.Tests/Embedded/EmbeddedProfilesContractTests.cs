namespace BeeFormer.Streaming.Profiles.Tests.Embedded;

public sealed class EmbeddedProfilesContractTests : ProfilesContract, IAsyncDisposable
{
    private readonly ProfileFolder _folder = new();

    private protected override IProfiles Open(int limit = 200) => _folder.Open(new ProfilesOptions { InteractionsPerUser = limit });

    private protected override Task<IProfiles> OpenAfterKillAsync(IProfiles held, int limit = 200)
    {
        _folder.Kill();
        return Task.FromResult(Open(limit));
    }

    public ValueTask DisposeAsync() => _folder.DisposeAsync();
}
