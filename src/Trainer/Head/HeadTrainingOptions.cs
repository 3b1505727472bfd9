namespace BeeFormer.Streaming.Trainer;

/// <summary>How a head is learned. The defaults take about a minute for 10,000 items on two cores; docs/training.md has what was measured.</summary>
public sealed record HeadTrainingOptions
{
    /// <summary>Steps; the learning rates fall linearly to 0 over them. Default 800, enough for long texts; short titles are learned in 400, and 60 are meant for a start from an incumbent head.</summary>
    public int Steps { get; init; } = 800;
    /// <summary>Ends the training early, at the step that crosses it; the rates then fall by elapsed time, so that they are near 0 at the end either way. A training that its budget bounds is not repeatable bit by bit. Null: no bound.</summary>
    public TimeSpan? TimeBudget { get; init; }
    /// <summary>Items drawn a step (m). Default 1,024.</summary>
    public int ItemsPerStep { get; init; } = 1024;
    /// <summary>At most so many users take part in a step, drawn uniformly from those with two or more of its items; bounds memory at about 4·users·(m + 2·D) bytes. Default 8,192.</summary>
    public int MaxUsersPerStep { get; init; } = 8192;
    /// <summary>AdamW's rate for W. Default 0.002.</summary>
    public float ProjectionLearningRate { get; init; } = 2e-3f;
    /// <summary>AdamW's rate for B. Default 0.01.</summary>
    public float WordLearningRate { get; init; } = 1e-2f;
    /// <summary>Share of an item's words that a step leaves out, from 0 to 0.95. Default 0.4.</summary>
    public double WordDropout { get; init; } = 0.4;
    /// <summary>Decides which items and users are drawn. Same seed, data and thread count: the same head, bit by bit.</summary>
    public int Seed { get; init; } = 1;
    /// <summary>Threads of the row-wise parts; the matrix products use libtorch's own setting. Default: all cores.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}

/// <summary>Where a head's training is.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Users">Users that took part in the step.</param>
public sealed record HeadTrainingProgress(int Step, int Steps, double Loss, int Users);
