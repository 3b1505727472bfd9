using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Api;

/// <summary>Pairs that variants are served from, whatever is live: one for each model that a variant is pinned to.</summary>
internal sealed class PinnedPairs(Variants variants, ServingPairs live, HiddenItems hidden) : IDisposable, IAsyncDisposable
{
    public IReadOnlyDictionary<ModelVersion, ServingPairs> All { get; } =
        variants.All.Select(variant => variant.Version).OfType<ModelVersion>().Distinct().ToDictionary(version => version, _ => new ServingPairs(hidden));

    /// <summary>The alias that names a pinned model's collection as long as events reach it.</summary>
    public static string AliasOf(ModelVersion version) => $"{PairKeeping.Alias}.{version}";

    /// <summary>The pair that answers the user: that of the user's variant, or, until it serves, the live one. Null: nothing serves yet.</summary>
    public PairLease? Enter(string? userId) => EnterOwn(userId) ?? live.Enter();

    /// <returns>Null: the user's variant is served from the live model, or its own does not serve yet.</returns>
    public PairLease? EnterOwn(string? userId) => variants.For(userId).Version is { } version ? All[version].Enter() : null;

    /// <summary>What a variant is served from now.</summary>
    public ServedBy? IdentityOf(Variant variant) => (variant.Version is { } version ? All[version].Identity : null) ?? live.Identity;

    /// <summary>False: the live pair stands in for the variant's own.</summary>
    public bool IsOwn(Variant variant, PairLease pair) => variant.Version is not { } version || All[version].Identity == pair.Identity;

    public void Dispose()
    {
        foreach (var pairs in All.Values) pairs.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var pairs in All.Values) await pairs.DisposeAsync();
    }
}
