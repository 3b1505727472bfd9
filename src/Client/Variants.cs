using System.Text.Json.Serialization;

namespace BeeFormer.Streaming.Client;

/// <summary>The policies that users are served by side by side, and what came of each.</summary>
/// <param name="From">Beginning of the time that is measured.</param>
/// <param name="At">Its end.</param>
/// <param name="Instance">The process that answered: what others have shown is not in here.</param>
/// <param name="List">In the order of the configuration; empty where none are configured.</param>
public sealed record Variants(DateTimeOffset From, DateTimeOffset At, string Instance, [property: JsonPropertyName("variants")] IReadOnlyList<Variant> List) : Answer;

/// <param name="Name">As configured.</param>
/// <param name="Share">Of the users, 0 to 1.</param>
/// <param name="Ranking">Keys of section <c>Ranking</c> that differ from it, as configured.</param>
/// <param name="Lists">Recommendations that were asked for with a user id and were not empty.</param>
/// <param name="Impressions">Items in them.</param>
/// <param name="Clicks">Of these, the ones that the user then viewed or clicked.</param>
/// <param name="Purchases">By users who had been shown a list, within the window.</param>
/// <param name="Hits">Of these, the ones of an item among the first 20 of the last list.</param>
/// <param name="Version">The model that it is served from; null: none serves yet.</param>
/// <param name="ClickThrough">Clicks by impressions; null: none yet.</param>
/// <param name="Recall">Hits by purchases; null: none yet.</param>
public sealed record Variant(
    string Name, double Share, IReadOnlyDictionary<string, string> Ranking, long Lists, long Impressions, long Clicks, long Purchases, long Hits,
    string? Version = null, Proportion? ClickThrough = null, Proportion? Recall = null);

/// <param name="Value">0 to 1.</param>
/// <param name="Low">Lower end of Wilson's 95 % interval.</param>
/// <param name="High">Its upper end.</param>
public sealed record Proportion(double Value, double Low, double High);
