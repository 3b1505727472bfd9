using Microsoft.AspNetCore.Http.HttpResults;

namespace BeeFormer.Streaming.Api;

/// <summary>What a request wants of the list instead of what is configured.</summary>
internal static class ListPolicy
{
    private const int MostAttributes = 10;

    /// <returns>Null when the request is fine, else the refusal, which names the field.</returns>
    public static ProblemHttpResult? Read(RecommendationRequest request, RankingOptions configured, out RankingOptions asked)
    {
        asked = configured;
        if (request.Diversity is { } diversity and not (>= 0 and <= 1)) return Refused.Field("diversity", $"diversity is {diversity}; expected 0 to 1.");
        if (request.Exploration is { } exploration and not (>= 0 and <= 0.5)) return Refused.Field("exploration", $"exploration is {exploration}; expected 0 to 0.5.");
        if (request.MaxPer is { } maxPer)
        {
            if (maxPer.Count > MostAttributes) return Refused.TooMany("max_per", maxPer.Count, MostAttributes);
            foreach (var (attribute, most) in maxPer)
            {
                if (attribute.Length is 0 or > FilterJson.MaxNameLength) return Refused.Field("max_per", $"max_per names an attribute of {attribute.Length} characters; expected 1 to {FilterJson.MaxNameLength}.");
                if (most is < 1 or > RankingOptions.MostPer) return Refused.Field($"max_per.{attribute}", $"max_per.{attribute} is {most}; expected 1 to {RankingOptions.MostPer}.");
            }
        }
        asked = configured.With(request.Diversity, request.MaxPer, request.Exploration);
        return null;
    }
}
