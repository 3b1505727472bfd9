using System.ComponentModel.DataAnnotations;

namespace BeeFormer.Streaming.Api;

/// <summary>Section <c>Ranking</c>: what a user's recommendations are ranked by, and what the list must be as a whole. The weights say what each part of <see cref="Blend"/> counts; 0 leaves it out.</summary>
public sealed class RankingOptions : IValidatableObject
{
    public const string Section = "Ranking";

    /// <summary>Largest bound in <see cref="MaxPer"/>: paging reaches no further.</summary>
    public const int MostPer = 1000;

    /// <summary>Weight of the cosine between user and item. Default 1; alone, the score is the cosine.</summary>
    [Range(0.0, 100.0)]
    public double Model { get; set; } = 1;

    /// <summary>Weight of what everybody buys of late. Default 0.4.</summary>
    [Range(0.0, 100.0)]
    public double Popularity { get; set; } = 0.4;

    /// <summary>Weight of what the user has bought before. Default 0.5. It says nothing where seen items are excluded.</summary>
    [Range(0.0, 100.0)]
    public double History { get; set; } = 0.5;

    /// <summary>Nobody buys again at once: an item purchased less than this ago is put back by the weight of <see cref="History"/>. Zero: never. Default 1 day.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "36500.00:00:00")]
    public TimeSpan Rest { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Weight of how new an item is, which <see cref="RecencyAttribute"/> must tell. Default 0.</summary>
    [Range(0.0, 100.0)]
    public double Recency { get; set; }

    /// <summary>The attribute of items that holds when they came, as a date or time (ISO 8601). Default none: no item is newer than another.</summary>
    public string? RecencyAttribute { get; set; }

    /// <summary>Age at which an item is half as new. Default 60 days.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "36500.00:00:00")]
    public TimeSpan RecencyHalfLife { get; set; } = TimeSpan.FromDays(60);

    /// <summary>Items that the blend looks at: so many nearest to the user, so many of the most popular, and the user's own. Default 100; never fewer of the nearest than an answer holds.</summary>
    [Range(1, 10_000)]
    public int Candidates { get; set; } = 100;

    /// <summary>How much items count for being unlike those above them, by <see cref="Api.Diversity"/>. Default 0: not at all.</summary>
    [Range(0.0, 1.0)]
    public double Diversity { get; set; }

    /// <summary>By attribute: how many items of each of its values a list holds at most, all its pages together. Default none.</summary>
    public Dictionary<string, int> MaxPer { get; private set; } = new(StringComparer.Ordinal);

    /// <summary>Share of the places that is kept for little known items, by <see cref="Api.Exploration"/>. Default 0: none.</summary>
    [Range(0.0, 0.5)]
    public double Exploration { get; set; }

    /// <summary>An item is little known whose interactions, weighted and decayed as for the popularity, sum to less. Default 3.</summary>
    [Range(0.0, 1e9)]
    public double ExplorationBelow { get; set; } = 3;

    /// <summary>After this time other little known items get their turn. Default 1 hour.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "36500.00:00:00")]
    public TimeSpan ExplorationPeriod { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Nothing but the model decides what an item's score is.</summary>
    public bool ModelAlone => Popularity == 0 && History == 0 && !KnowsRecency;

    /// <summary>How new items are counts, and something tells it.</summary>
    public bool KnowsRecency => Recency > 0 && RecencyAttribute is not null;

    /// <summary>An item's place depends on the other items of the list.</summary>
    public bool Arranges => Diversity > 0 || MaxPer.Count > 0;

    /// <summary>The same but for what a request asks for itself; null: as it is here.</summary>
    public RankingOptions With(double? diversity, IReadOnlyDictionary<string, int>? maxPer, double? exploration)
    {
        var asked = (RankingOptions)MemberwiseClone();
        asked.Diversity = diversity ?? Diversity;
        asked.Exploration = exploration ?? Exploration;
        if (maxPer is not null) asked.MaxPer = new Dictionary<string, int>(maxPer, StringComparer.Ordinal);
        return asked;
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (name, weight) in new[] { (nameof(Model), Model), (nameof(Popularity), Popularity), (nameof(History), History), (nameof(Recency), Recency) })
            if (!double.IsFinite(weight))
                yield return new ValidationResult($"{Section}:{name} is {weight}; expected a number between 0 and 100.", [name]);
        foreach (var (name, share) in new[] { (nameof(Diversity), Diversity), (nameof(Exploration), Exploration), (nameof(ExplorationBelow), ExplorationBelow) })
            if (!double.IsFinite(share))
                yield return new ValidationResult($"{Section}:{name} is {share}; expected a finite number.", [name]);
        foreach (var (attribute, most) in MaxPer)
            if (most is < 1 or > MostPer)
                yield return new ValidationResult($"{Section}:{nameof(MaxPer)}:{attribute} is {most}; expected 1 to {MostPer}.", [nameof(MaxPer)]);
        if (Model == 0 && Popularity == 0 && History == 0)
            yield return new ValidationResult($"{Section}:Model, {Section}:Popularity and {Section}:History are all 0; expected one above 0.", [nameof(Model)]);
    }
}
