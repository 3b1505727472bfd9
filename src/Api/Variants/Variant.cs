using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Api;

/// <summary>A policy that a share of the users is served by.</summary>
/// <param name="Name">Null: no variants are configured, and this is how everybody is served.</param>
/// <param name="Share">0 to 1.</param>
/// <param name="Version">The model that it is served from; null: the live one.</param>
/// <param name="Overrides">Keys of section <c>Ranking</c> that differ from it, as configured.</param>
internal sealed record Variant(string? Name, double Share, RankingOptions Ranking, ModelVersion? Version, IReadOnlyDictionary<string, string> Overrides);
