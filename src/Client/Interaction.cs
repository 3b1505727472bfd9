namespace BeeFormer.Streaming.Client;

/// <summary>One thing that a user did with an item.</summary>
public sealed record Interaction
{
    /// <summary>Events with the same id count once; 1 to 512 bytes. Null: the client gives it one when it takes the event, so that repeating a request does no harm.</summary>
    public string? EventId { get; init; }

    /// <summary>1 to 512 bytes.</summary>
    public required string UserId { get; init; }

    /// <summary>1 to 512 bytes.</summary>
    public required string ItemId { get; init; }

    /// <summary><c>view</c>, <c>click</c>, <c>add_to_cart</c>, <c>purchase</c>, <c>rating</c> or a name of your own.</summary>
    public required string Type { get; init; }

    /// <summary>Stars of a rating, quantity of a purchase; finite.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not finite.</exception>
    public double? Value
    {
        get;
        init => field = value is null || double.IsFinite(value.Value) ? value : throw new ArgumentOutOfRangeException(nameof(Value), value, $"{nameof(Value)} is {value}; expected a finite number.");
    }

    /// <summary>Null: when the client takes the event.</summary>
    public DateTimeOffset? Timestamp { get; init; }

    /// <summary>1 to 512 bytes.</summary>
    public string? SessionId { get; init; }

    internal Interaction Identified(TimeProvider time)
    {
        if (EventId is not null && Timestamp is not null) return this;
        var now = time.GetUtcNow();
        return this with { EventId = EventId ?? Guid.CreateVersion7(now).ToString(), Timestamp = Timestamp ?? now };
    }
}

/// <summary>What became of a batch: what was accepted is durable.</summary>
/// <param name="Accepted">Number of entries.</param>
/// <param name="Duplicate">Their event ids were taken before: nothing to do.</param>
/// <param name="Refused">Sending them again would not help.</param>
/// <param name="Verdicts">One an entry, in their order.</param>
public sealed record BatchResult(int Accepted, int Duplicate, int Refused, IReadOnlyList<Verdict> Verdicts) : Answer;

/// <param name="Index">Place in the request, from 0.</param>
/// <param name="Status"><c>accepted</c>, <c>duplicate</c> or <c>refused</c>.</param>
/// <param name="Reason">Where refused, a stable code: <c>invalid_json</c>, <c>missing_field</c>, <c>invalid_field</c>, …</param>
/// <param name="Message">Where refused: names the field and what was expected.</param>
public sealed record Verdict(int Index, string Status, string? Reason = null, string? Message = null)
{
    /// <summary>The entry was not taken, and would not be if it were sent again.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsRefused => Status == Refusal;

    internal const string Refusal = "refused";
}

/// <param name="UserId">As given.</param>
/// <param name="Status"><c>forgotten</c>: the request is durable, the stores follow.</param>
public sealed record ForgottenUser(string UserId, string Status) : Answer;
