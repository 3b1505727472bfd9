using System.ComponentModel.DataAnnotations;

namespace BeeFormer.Streaming.Api;

/// <summary>Section <c>Ranking</c>: what a user's recommendations are ranked by. The weights say what each part of <see cref="Blend"/> counts; 0 leaves it out.</summary>
public sealed class RankingOptions : IValidatableObject
{
    public const string Section = "Ranking";

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

    /// <summary>Items that the blend looks at: so many nearest to the user, so many of the most popular, and the user's own. Default 100; never fewer of the nearest than an answer holds.</summary>
    [Range(1, 10_000)]
    public int Candidates { get; set; } = 100;

    /// <summary>Nothing but the model decides.</summary>
    public bool ModelAlone => Popularity == 0 && History == 0;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (name, weight) in new[] { (nameof(Model), Model), (nameof(Popularity), Popularity), (nameof(History), History) })
            if (!double.IsFinite(weight))
                yield return new ValidationResult($"{Section}:{name} is {weight}; expected a number between 0 and 100.", [name]);
        if (Model == 0 && ModelAlone)
            yield return new ValidationResult($"{Section}:Model, {Section}:Popularity and {Section}:History are all 0; expected one above 0.", [nameof(Model)]);
    }
}
