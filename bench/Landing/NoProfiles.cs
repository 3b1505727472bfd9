using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Profiles;

/// <summary>Leaves the cost of profiles out.</summary>
internal sealed class NoProfiles : IProfiles
{
    public long NextOffset(int partition) => long.MaxValue;
    public ValueTask ApplyAsync(int partition, long nextOffset, IReadOnlyList<ProfileChange> changes, CancellationToken cancellationToken) => ValueTask.CompletedTask;
    public ValueTask<IReadOnlyList<ProfileInteraction>> GetAsync(UserId user, CancellationToken cancellationToken) => new([]);
    public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
}
