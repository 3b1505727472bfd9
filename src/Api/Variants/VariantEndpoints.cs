using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace BeeFormer.Streaming.Api;

/// <summary>Policies side by side, as measured.</summary>
internal static class VariantEndpoints
{
    public static void Map(IEndpointRouteBuilder v1) => v1.MapGet("/variants", Variants).WithName("ListVariants").RequireAuthorization(Scopes.Read).WithTags("Variants")
        .WithSummary("The variants that users are served by, with click-through and recall@20 of late")
        .WithDescription("Of what the process that answers has shown itself. Where intervals overlap, the numbers do not tell variants apart. Empty where no variants are configured.");

    public static Ok<VariantsAnswer> Variants(Impressions impressions, ServingPairs pairs, PinnedPairs pinned, TimeProvider time) =>
        TypedResults.Ok(new VariantsAnswer(impressions.From, time.GetUtcNow(), $"{Environment.MachineName}/{Environment.ProcessId}",
            [.. impressions.Read().Select(counted => VariantDescription.Of(counted.Variant, counted.Tally, pinned.IdentityOf(counted.Variant)))], pairs.Identity));
}

/// <param name="From">Beginning of the time that is measured.</param>
/// <param name="At">Its end: now.</param>
/// <param name="Instance">The process that answers: what others have shown is not in here.</param>
internal sealed record VariantsAnswer(DateTimeOffset From, DateTimeOffset At, string Instance, IReadOnlyList<VariantDescription> Variants, ServedBy? By) : Answer(By);

/// <param name="Version">The model that it is served from; null: none serves yet.</param>
/// <param name="Ranking">Keys of section <c>Ranking</c> that differ from it, as configured.</param>
/// <param name="Lists">Recommendations that were asked for with a user_id and were not empty.</param>
/// <param name="Impressions">Items in them.</param>
/// <param name="Clicks">Of these, the ones that the user then viewed or clicked.</param>
/// <param name="ClickThrough">Clicks by impressions; null: none yet.</param>
/// <param name="Purchases">By users who had been shown a list, within the window.</param>
/// <param name="Hits">Of these, the ones of an item among the first 20 of the last list.</param>
/// <param name="Recall">Hits by purchases; null: none yet.</param>
internal sealed record VariantDescription(
    string Name, double Share, string? Version, IReadOnlyDictionary<string, string> Ranking, long Lists, long Impressions, long Clicks, Proportion? ClickThrough, long Purchases, long Hits, Proportion? Recall)
{
    public static VariantDescription Of(Variant variant, Tally tally, ServedBy? serving) => new(
        variant.Name!, variant.Share, serving?.Version.Value, variant.Overrides, tally.Lists, tally.Impressions, tally.Clicks, Proportion.Of(tally.Clicks, tally.Impressions),
        tally.Purchases, tally.Hits, Proportion.Of(tally.Hits, tally.Purchases));
}
