using System.ComponentModel.DataAnnotations;

namespace BeeFormer.Streaming.Api;

/// <summary>Section <c>UserVector</c>: what a user's interactions say about the next.</summary>
public sealed class UserVectorOptions : IValidatableObject
{
    public const string Section = "UserVector";

    /// <summary>Weight of each event type; types not named here say nothing. Defaults: view 0.1, click 0.3, add_to_cart 0.6, purchase 1, rating 1.</summary>
    public Dictionary<string, double> TypeWeights { get; } = new(StringComparer.Ordinal)
    {
        ["view"] = 0.1, ["click"] = 0.3, ["add_to_cart"] = 0.6, ["purchase"] = 1.0, ["rating"] = 1.0,
    };

    /// <summary>Ratings below, and ratings without a value, say nothing. Default 4.</summary>
    public double MinRating { get; set; } = 4;

    /// <summary>An interaction's weight halves with this age. Zero: no decay. Default 30 days.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "36500.00:00:00")]
    public TimeSpan HalfLife { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Newest distinct items of the history that count. Default 100.</summary>
    [Range(1, 10_000)]
    public int MaxItems { get; set; } = 100;

    /// <summary>Weight of one interaction before decay; 0: it says nothing.</summary>
    public double WeightOf(string type, double? value)
    {
        if (type == "rating" && !(value >= MinRating)) return 0;
        return TypeWeights.GetValueOrDefault(type);
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (type, weight) in TypeWeights)
            if (!double.IsFinite(weight) || weight < 0)
                yield return new ValidationResult($"{Section}:TypeWeights:{type} is {weight}; expected a finite number, 0 or more.", [nameof(TypeWeights)]);
    }
}
