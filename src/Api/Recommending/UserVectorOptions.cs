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

    /// <summary>So many items back, an item weighs half: what the user looks for now counts more than what they always liked. 0: only age counts. Default 5.</summary>
    [Range(0.0, 10_000.0)]
    public double OrderHalfLife { get; set; } = 5;

    /// <summary>Newest distinct items of the history that count. Default 100.</summary>
    [Range(1, 10_000)]
    public int MaxItems { get; set; } = 100;

    /// <summary>Weight of one interaction before decay; 0: it says nothing.</summary>
    public double WeightOf(string type, double? value)
    {
        if (type == "rating" && !(value >= MinRating)) return 0;
        return TypeWeights.GetValueOrDefault(type);
    }

    /// <summary>What the order leaves of the weight of the n-th item from the newest, from 0.</summary>
    public double ShareAt(int n) => OrderHalfLife > 0 ? Math.Pow(2, -n / OrderHalfLife) : 1;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!double.IsFinite(OrderHalfLife)) yield return new ValidationResult($"{Section}:{nameof(OrderHalfLife)} is {OrderHalfLife}; expected 0 to 10000.", [nameof(OrderHalfLife)]);
        foreach (var (type, weight) in TypeWeights)
            if (!double.IsFinite(weight) || weight < 0)
                yield return new ValidationResult($"{Section}:TypeWeights:{type} is {weight}; expected a finite number, 0 or more.", [nameof(TypeWeights)]);
    }
}
