using System.ComponentModel.DataAnnotations;
using BeeFormer.Streaming.Api;
using Microsoft.Extensions.Configuration;

namespace BeeFormer.Streaming.Standalone.Replay;

/// <summary>Other settings of the ranking, written <c>Diversity=0.3,Popularity=0</c>.</summary>
internal static class RankingVariant
{
    /// <summary>An item that nobody has touched is not new but unknown.</summary>
    private const string FirstInteraction = "first interaction";

    /// <param name="configured">What holds where the text says nothing.</param>
    /// <exception cref="FormatException">There is no such setting, or it cannot be so; the message says which and what was expected.</exception>
    public static RankingOptions Of(string text, RankingOptions configured)
    {
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (string part in text.Split(','))
        {
            if (part.Split('=') is not [{ Length: > 0 } key, { Length: > 0 } value] || !settings.TryAdd(key, value))
                throw new FormatException($"'{part}' in '{text}' is no setting; expected KEY=VALUE,… with each key once, as in Diversity=0.3.");
            if (key.StartsWith(nameof(RankingOptions.MaxPer), StringComparison.OrdinalIgnoreCase) || key.Equals(nameof(RankingOptions.Rest), StringComparison.OrdinalIgnoreCase))
                throw new FormatException($"{key} cannot be measured beside other settings: a data set has no attributes, and all lists share one rest.");
        }
        RankingOptions variant = configured.With(null, null, null);
        try
        {
            new ConfigurationBuilder().AddInMemoryCollection(settings).Build().Bind(variant, binder => binder.ErrorOnUnknownConfiguration = true);
            if (variant.Recency > 0) variant.RecencyAttribute ??= FirstInteraction;
            Validator.ValidateObject(variant, new ValidationContext(variant), validateAllProperties: true);
        }
        catch (Exception wrong) when (wrong is InvalidOperationException or ValidationException)
        {
            throw new FormatException($"'{text}' are no settings of the ranking: {wrong.Message}", wrong);
        }
        return variant;
    }
}
