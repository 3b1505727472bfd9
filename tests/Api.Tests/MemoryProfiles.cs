using System.Collections.Concurrent;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles;

namespace BeeFormer.Streaming.Api.Tests;

internal sealed class MemoryProfiles : IProfiles
{
    private readonly ConcurrentDictionary<UserId, IReadOnlyList<ProfileInteraction>> _users = [];

    /// <summary>Gives the user purchases, newest first.</summary>
    public void Bought(string user, params string[] items) => BoughtAt(1_700_000_000_000, user, items);

    public void BoughtAt(long newestMs, string user, params string[] items) =>
        _users[new UserId(user)] = [.. items.Select((item, n) => new ProfileInteraction($"{user}/{n}", new ItemId(item), "purchase", null, newestMs - n))];

    /// <summary>As when the server that holds them is down.</summary>
    public bool Unreachable { get; set; }

    public ValueTask<IReadOnlyList<ProfileInteraction>> GetAsync(UserId user, CancellationToken cancellationToken) =>
        Unreachable ? ValueTask.FromException<IReadOnlyList<ProfileInteraction>>(new IOException("no answer")) : ValueTask.FromResult(_users.GetValueOrDefault(user) ?? []);

    public long NextOffset(int partition) => throw new NotSupportedException();
    public ValueTask ApplyAsync(int partition, long nextOffset, IReadOnlyList<ProfileChange> changes, CancellationToken cancellationToken) => throw new NotSupportedException();
    public ValueTask FlushAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
}
