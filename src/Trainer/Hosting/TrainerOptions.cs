using System.ComponentModel.DataAnnotations;
using BeeFormer.Streaming.Contracts;
using BeeFormer.Streaming.Encoder;
using BeeFormer.Streaming.WindowStore;

namespace BeeFormer.Streaming.Trainer;

/// <summary>Section <c>Trainer</c>: when a training starts, and what window it sees.</summary>
public sealed class TrainerOptions
{
    public const string Section = "Trainer";

    /// <summary>Trains after so many new interactions; 0: never for that reason. Default 20,000.</summary>
    [Range(0, long.MaxValue)]
    public long EveryInteractions { get; set; } = 20_000;

    /// <summary>Trains after this time if there is anything new; null or 0: never for that reason. Default 5 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "365.00:00:00")]
    public TimeSpan? Every { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Fine-tunes the encoder after this time if there is anything new; null or 0: only when asked. Default: only when asked.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "365.00:00:00")]
    public TimeSpan? EveryEncoder { get; set; }

    /// <summary>
    /// Trains when this share of the prequential recall@20 is lost; null: never for that reason. Default: never, since a training every few minutes answers any drift; of use where trainings are rare.
    /// </summary>
    [Range(0.05, 0.95)]
    public double? RecallDrop { get; set; }

    /// <summary>Foretold interactions that pass on average, at least, before a false alarm: a higher value alarms later. Default 100,000.</summary>
    [Range(100.0, 1e12)]
    public double RecallFalseAlarmEvery { get; set; } = 100_000;

    /// <summary>Interactions foretold at each look at most (a few more for rounding). Default 100.</summary>
    [Range(1, 1_000_000)]
    public int RecallSample { get; set; } = 100;

    /// <summary>What a drop of the recall asks for: <c>Head</c> or <c>Encoder</c>. Default Head.</summary>
    public TrainingTempo RecallTempo { get; set; } = TrainingTempo.Head;

    /// <summary>How often the store is asked for new interactions. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan CheckInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Threads of one tensor operation in training; 0: all cores but one, at least one. Default 0.</summary>
    [Range(0, 1024)]
    public int Threads { get; set; }

    /// <summary>Event time that the window reaches back from now; null: all that is stored. Default: all.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "36500.00:00:00")]
    public TimeSpan? Window { get; set; }

    /// <summary>Newest interactions that the window holds; null: all. Default 2,000,000: bounds the memory of a training.</summary>
    [Range(1, int.MaxValue)]
    public int? LastN { get; set; } = 2_000_000;

    /// <summary>An interaction's weight halves with this age; null: no decay. Default: no decay.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "36500.00:00:00")]
    public TimeSpan? HalfLife { get; set; }

    /// <summary>Newest share of the window held out to compare models; null: as the policy says. Default: as the policy says.</summary>
    [Range(0.01, 0.5)]
    public double? HoldoutShare { get; set; }

    /// <summary>Weights of event types; types not named are left out. Default: view 0.1, click 0.3, add_to_cart 0.6, purchase 1, rating 1.</summary>
    public Dictionary<string, double> TypeWeights { get; set; } = [];

    /// <summary>Ratings below are left out. Default 4.</summary>
    public double MinRating { get; set; } = 4;

    /// <summary>Newest published models that stay; beside them the live one, the one before it, the untrained one and those in use always do. 0: all stay. Default 10.</summary>
    [Range(0, 100_000)]
    public int KeepModels { get; set; } = 10;

    internal int ThreadCount => Threads > 0 ? Threads : Math.Max(1, Environment.ProcessorCount - 1);

    /// <summary>What the configuration says goes before what the policy says.</summary>
    internal TrainingPolicy Override(TrainingPolicy policy) => HoldoutShare is { } share ? policy with { HoldoutShare = share } : policy;

    /// <summary>The window of a training by this policy.</summary>
    internal WindowQuery Query(DateTimeOffset now, TrainingPolicy policy)
    {
        WindowQuery query = Query(now);
        return policy.EventValues.Count == 0 ? query
            : query with { TypeWeights = policy.EventValues.Distinct().ToDictionary(type => type, type => query.TypeWeights.TryGetValue(type, out double weight) ? weight : 1) };
    }

    internal WindowQuery Query(DateTimeOffset now) => new()
    {
        FromMs = Window is { } length ? (now - length).ToUnixTimeMilliseconds() : null,
        LastN = LastN,
        HalfLife = HalfLife,
        MinRating = MinRating,
        TypeWeights = TypeWeights.Count > 0 ? TypeWeights : WindowQuery.DefaultTypeWeights,
    };
}

/// <summary>Section <c>Encoder</c>: what the first model is made of.</summary>
public sealed class BaseEncoderOptions : IValidatableObject
{
    public const string Section = "Encoder";

    /// <summary>sentence-transformers folder; null: the policy's embedder, else the model that comes with the program.</summary>
    public string? Path { get; set; }

    /// <summary>Tokens a text is cut to. Default 128.</summary>
    [Range(3, 65_536)]
    public int MaxSequenceLength { get; set; } = 128;

    /// <summary>How items become texts, see <see cref="Encoder.ItemText"/>: in the first model, and in what is trained anew. A published model keeps its own. Default <c>{title}. {description}</c>.</summary>
    public string ItemText { get; set; } = Encoder.ItemText.DefaultTemplate;

    /// <summary>Numbers in which texts are encoded. Default <see cref="EncoderArithmetic.Auto"/>: the fastest that this processor has, measured at start.</summary>
    public EncoderArithmetic Arithmetic { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Encoder.ItemText.Problem(ItemText) is { } problem) yield return new ValidationResult($"{Section}:{nameof(ItemText)} {problem}.", [nameof(ItemText)]);
    }
}
