using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.RegularExpressions;
using BeeFormer.Streaming.Contracts;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace BeeFormer.Streaming.Api;

/// <summary>One entry of section <c>Variants</c>.</summary>
public sealed partial class VariantEntry
{
    public const string Section = "Variants";

    private const double AllowedError = 1e-6;

    /// <summary>1 to 40 of a–z, 0–9 and -; each name once.</summary>
    public string Name { get; set; } = "";

    /// <summary>Share of the users, 0 to 1; all together 1.</summary>
    public double Share { get; set; }

    /// <summary>What recommendations are ranked by; what an entry does not name is as in section <c>Ranking</c>.</summary>
    public RankingOptions Ranking { get; set; } = new();

    /// <summary>A published model that the variant is served from, whatever is live. Default: the live one.</summary>
    public string? Version { get; set; }

    /// <param name="ranking">Makes the options of section <c>Ranking</c>, new ones each time.</param>
    /// <param name="published">Whether the store has this model.</param>
    /// <returns>In the order of the section; none where there is no such section.</returns>
    /// <exception cref="OptionsValidationException">Names the key that cannot be used.</exception>
    internal static IReadOnlyList<Variant> Read(IConfiguration configuration, Func<RankingOptions> ranking, Predicate<ModelVersion> published)
    {
        Variant[] variants = [.. configuration.GetSection(Section).GetChildren().Select(entry => Read(entry, ranking(), published))];
        if (variants.CountBy(variant => variant.Name!).FirstOrDefault(count => count.Value > 1).Key is { } twice) throw Invalid($"{Section} names {twice} twice; expected each name once.");
        double sum = variants.Sum(variant => variant.Share);
        if (variants.Length > 0 && Math.Abs(sum - 1) > AllowedError) throw Invalid(string.Create(CultureInfo.InvariantCulture, $"{Section}: the values of Share add up to {sum:0.######}; expected 1."));
        return variants;
    }

    private static Variant Read(IConfigurationSection section, RankingOptions ranking, Predicate<ModelVersion> published)
    {
        var entry = new VariantEntry { Ranking = ranking };
        try
        {
            section.Bind(entry, binder => binder.ErrorOnUnknownConfiguration = true);
        }
        catch (InvalidOperationException unreadable)
        {
            throw Invalid($"{section.Path} cannot be read: {unreadable.Message}");
        }
        if (entry.Problem(published) is { } problem) throw Invalid(string.Create(CultureInfo.InvariantCulture, $"{section.Path}:{problem}"));

        var wrong = new List<ValidationResult>();
        if (!Validator.TryValidateObject(ranking, new ValidationContext(ranking), wrong, validateAllProperties: true))
            throw new OptionsValidationException(Section, typeof(VariantEntry), wrong.Select(result => $"{section.Path}:{RankingOptions.Section}:{string.Join(", ", result.MemberNames)}: {result.ErrorMessage}"));
        return new Variant(entry.Name, entry.Share, ranking, entry.Version is null ? null : new ModelVersion(entry.Version), section.GetSection(RankingOptions.Section).AsEnumerable(makePathsRelative: true)
            .Where(pair => pair.Value is not null).OrderBy(pair => pair.Key, StringComparer.Ordinal).ToDictionary(pair => pair.Key, pair => pair.Value!));
    }

    private string? Problem(Predicate<ModelVersion> published) =>
        Name is null || !AllowedName().IsMatch(Name) ? $"Name is \"{Name}\"; expected 1 to 40 of a-z, 0-9 and -."
        : !(Share is >= 0 and <= 1) ? string.Create(CultureInfo.InvariantCulture, $"Share is {Share}; expected 0 to 1.")
        : Version is not null && !published(new ModelVersion(Version)) ? $"Version is \"{Version}\"; expected a published model of the store, or none for the live one."
        : null;

    private static OptionsValidationException Invalid(string problem) => new(Section, typeof(VariantEntry), [problem]);

    [GeneratedRegex(@"\A[a-z0-9-]{1,40}\z")]
    private static partial Regex AllowedName();
}
