namespace BeeFormer.Streaming.Profiles.Tests.Redis;

public sealed class RedisProfilesContractTests(RedisServer server) : ProfilesContract, IClassFixture<RedisServer>
{
    private readonly string _prefix = server.NextPrefix();

    private protected override IProfiles Open(int limit = 200) => server.Open(new ProfilesOptions { InteractionsPerUser = limit, Prefix = _prefix });

    private protected override async Task<IProfiles> OpenAfterKillAsync(IProfiles held, int limit = 200)
    {
        server.Kill();
        await server.StartAsync();
        return Open(limit);
    }
}
