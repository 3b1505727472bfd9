namespace BeeFormer.Streaming.Api;

/// <summary>A policy that a share of the users is served by.</summary>
/// <param name="Name">Null: no variants are configured, and this is how everybody is served.</param>
/// <param name="Share">0 to 1.</param>
/// <param name="Overrides">Keys of section <c>Ranking</c> that differ from it, as configured.</param>
internal sealed record Variant(string? Name, double Share, RankingOptions Ranking, IReadOnlyDictionary<string, string> Overrides);
