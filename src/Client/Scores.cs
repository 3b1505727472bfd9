namespace BeeFormer.Streaming.Client;

/// <summary>Given items to rank for a user or a history; one of the two is given.</summary>
public sealed record ScoreRequest
{
    /// <summary>Whose profile is used.</summary>
    public string? UserId { get; init; }

    /// <summary>Item ids that stand for the user, the newest last: it weighs most.</summary>
    public IReadOnlyList<string>? History { get; init; }

    /// <summary>Item ids to rank.</summary>
    public required IReadOnlyList<string> Candidates { get; init; }
}

/// <param name="Items">The candidates, best first, with the score that a recommendation has; with a fallback, their popularity as a share of the most popular item's.</param>
/// <param name="LeftOut">Candidates that cannot be recommended.</param>
/// <param name="Fallback"><c>popular</c> where nothing is known of the user that the index could use.</param>
/// <param name="Variant">Where the server has variants: the one that answered.</param>
public sealed record Scores(IReadOnlyList<RankedItem> Items, IReadOnlyList<LeftOut> LeftOut, string? Fallback = null, string? Variant = null) : Answer;

/// <param name="ItemId">As given.</param>
/// <param name="Reason"><c>unknown</c>: not in the index; <c>hidden</c>: deleted or not available.</param>
public sealed record LeftOut(string ItemId, string Reason);
