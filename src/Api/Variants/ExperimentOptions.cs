using System.ComponentModel.DataAnnotations;

namespace BeeFormer.Streaming.Api;

/// <summary>Section <c>Experiment</c>: who is served by which variant, and how variants are measured.</summary>
public sealed class ExperimentOptions
{
    public const string Section = "Experiment";

    /// <summary>Another salt deals the users anew, independently of any before. Default: empty.</summary>
    [StringLength(100)]
    public string Salt { get; set; } = "";

    /// <summary>How long after a list was shown a click or purchase is laid to its account. Default 1 day.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00")]
    public TimeSpan Window { get; set; } = TimeSpan.FromDays(1);

    /// <summary>The newest stretch of time that measures are of, kept in 60 parts. Default 7 days.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00")]
    public TimeSpan Period { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Users whose lists are remembered, those who were shown one last. Default 100000.</summary>
    [Range(1, 10_000_000)]
    public int Users { get; set; } = 100_000;
}
