namespace BeeFormer.Streaming.EventLog.DeadLetters;

public enum ReplayOutcome
{
    /// <summary>Back in its topic, durably; the letter is done.</summary>
    Replayed,
    /// <summary>Left alone: something newer has taken the event's place.</summary>
    Superseded,
    /// <summary>Left alone: it would only be refused again.</summary>
    Unreadable,
    /// <summary>There is no such letter.</summary>
    Unknown,
}

/// <summary>What became of the letters that were to be brought back.</summary>
public sealed class ReplayReport(bool dryRun)
{
    /// <summary>Letters of which it is said why they stay.</summary>
    public const int MostExplained = 1000;

    private readonly List<(LogPlace, ReplayOutcome, string)> _staying = [];
    private readonly int[] _counts = new int[Enum.GetValues<ReplayOutcome>().Length];

    /// <summary>Nothing was done; it says what would be.</summary>
    public bool DryRun { get; } = dryRun;

    public int Count(ReplayOutcome outcome) => _counts[(int)outcome];

    /// <summary>The first <see cref="MostExplained"/> that were not replayed, and why.</summary>
    public IReadOnlyList<(LogPlace Id, ReplayOutcome Outcome, string Why)> Staying => _staying;

    internal void Add(LogPlace id, ReplayOutcome outcome, string? why)
    {
        _counts[(int)outcome]++;
        if (why is not null && _staying.Count < MostExplained) _staying.Add((id, outcome, why));
    }
}
