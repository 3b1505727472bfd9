namespace BeeFormer.Streaming.Client;

/// <summary>Items for a user or a history; one of the two is given.</summary>
public sealed record RecommendationRequest
{
    /// <summary>Whose profile is used.</summary>
    public string? UserId { get; init; }

    /// <summary>Item ids that stand for the user, the newest last: it weighs most.</summary>
    public IReadOnlyList<string>? History { get; init; }

    /// <summary>Results wanted, 1 to 1000. Null: 10.</summary>
    public int? K { get; init; }

    /// <summary>What the items must be.</summary>
    public Filter? Filter { get; init => field = value?.Whole(); }

    /// <summary>Leave out the items of the history. Null: true.</summary>
    public bool? ExcludeSeen { get; init; }

    /// <summary>Item ids that must not be in the answer.</summary>
    public IReadOnlyList<string>? ExcludeIds { get; init; }

    /// <summary>Name beside each result the item of the history nearest to it and what its score and place come from.</summary>
    public bool? Explain { get; init; }

    /// <summary>How much items count for being unlike those above them, 0 to 1. Null: as the server is configured.</summary>
    public double? Diversity { get; init => field = Limits.Finite(nameof(Diversity), value); }

    /// <summary>By attribute: how many items of each of its values the list may hold, all its pages together, 1 to 1000. Null: as the server is configured; empty: no bounds.</summary>
    public IReadOnlyDictionary<string, int>? MaxPer { get; init; }

    /// <summary>Share of the places that is kept for little known items, 0 to 0.5. Null: as the server is configured.</summary>
    public double? Exploration { get; init => field = Limits.Finite(nameof(Exploration), value); }

    /// <summary>Of the page before; the rest of the request stays as it was, only <see cref="K"/> may differ.</summary>
    public string? Cursor { get; init; }
}

/// <summary>Items most similar to an item.</summary>
public sealed record SimilarRequest
{
    /// <inheritdoc cref="RecommendationRequest.K"/>
    public int? K { get; init; }

    /// <inheritdoc cref="RecommendationRequest.Filter"/>
    public Filter? Filter { get; init => field = value?.Whole(); }

    /// <inheritdoc cref="RecommendationRequest.ExcludeIds"/>
    public IReadOnlyList<string>? ExcludeIds { get; init; }

    /// <inheritdoc cref="RecommendationRequest.Cursor"/>
    public string? Cursor { get; init; }
}

/// <summary>Items that match a text by meaning.</summary>
public sealed record SearchRequest
{
    /// <summary>What is looked for, in plain words.</summary>
    public required string Text { get; init; }

    /// <inheritdoc cref="RecommendationRequest.K"/>
    public int? K { get; init; }

    /// <inheritdoc cref="RecommendationRequest.Filter"/>
    public Filter? Filter { get; init => field = value?.Whole(); }

    /// <inheritdoc cref="RecommendationRequest.ExcludeIds"/>
    public IReadOnlyList<string>? ExcludeIds { get; init; }

    /// <inheritdoc cref="RecommendationRequest.Cursor"/>
    public string? Cursor { get; init; }
}

/// <summary>Items, best first.</summary>
/// <param name="Items">At most as many as were wanted.</param>
/// <param name="Fallback"><c>popular</c> where nothing is known of the user that the index could use.</param>
/// <param name="Cursor">Give it back for the next page; null: this is the last.</param>
/// <param name="Variant">Of recommendations, where the server has variants: the one that answered.</param>
public sealed record Ranking(IReadOnlyList<RankedItem> Items, string? Fallback = null, string? Cursor = null, string? Variant = null) : Answer;

/// <param name="ItemId">As the shop gave it.</param>
/// <param name="Title">Of the item.</param>
/// <param name="Score">Of recommendations the blend of model, popularity and habit; of searches and similar items the cosine; of popular items their decayed number of interactions.</param>
/// <param name="Because">With <see cref="RecommendationRequest.Explain"/>: the item of the history nearest to this one.</param>
/// <param name="Parts">With <see cref="RecommendationRequest.Explain"/>: what score and place come from.</param>
public sealed record RankedItem(string ItemId, string Title, double Score, Because? Because = null, ScoreParts? Parts = null);

/// <summary>What is known of an item for a user, before weights; null: it does not count.</summary>
/// <param name="Cosine">Between user and item.</param>
/// <param name="Popularity">Share of the most popular item's popularity, 0 to 1.</param>
/// <param name="Own">What the user has bought before, 0 to 1; −1: bought just now.</param>
/// <param name="Recency">How new the item is, 0 to 1.</param>
/// <param name="DiversityPenalty">What the item's place cost for being like an item above it.</param>
/// <param name="Exploration">It has a place that is kept for little known items.</param>
public sealed record ScoreParts(double? Cosine = null, double? Popularity = null, double? Own = null, double? Recency = null, double? DiversityPenalty = null, bool? Exploration = null);

/// <param name="ItemId">Of the history.</param>
/// <param name="Similarity">Cosine, −1 to 1.</param>
public sealed record Because(string ItemId, double Similarity);

/// <summary>Answers to several requests, all from one model.</summary>
/// <param name="Results">One a request, in their order.</param>
public sealed record Rankings(IReadOnlyList<RankingVerdict> Results) : Answer;

/// <param name="Index">Place in the request, from 0.</param>
/// <param name="Status"><c>answered</c> or <c>refused</c>.</param>
/// <param name="Reason">Where refused: the code of the problem.</param>
/// <param name="Message">Where refused: names the field and what was expected.</param>
/// <param name="Items">Where answered.</param>
/// <param name="Fallback">As in <see cref="Ranking"/>.</param>
/// <param name="Cursor">As in <see cref="Ranking"/>.</param>
/// <param name="Variant">As in <see cref="Ranking"/>.</param>
/// <param name="ModelVersion">Where it is not that of the whole answer: the model of the variant.</param>
public sealed record RankingVerdict(
    int Index, string Status, string? Reason = null, string? Message = null, IReadOnlyList<RankedItem>? Items = null, string? Fallback = null, string? Cursor = null, string? Variant = null,
    string? ModelVersion = null);
