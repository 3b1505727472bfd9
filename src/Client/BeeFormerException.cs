namespace BeeFormer.Streaming.Client;

/// <summary>The server refused, or did not answer.</summary>
public abstract class BeeFormerException : Exception
{
    private protected BeeFormerException(string message, Exception? inner = null) : base(message, inner) { }

    /// <summary>The same request may succeed later.</summary>
    public abstract bool Transient { get; }

    /// <summary>How long the server wants to be left alone. Null: it did not say.</summary>
    public TimeSpan? RetryAfter { get; internal init; }
}

/// <summary>The server refused, with problem details (RFC 9457). The message says what was wrong and what was expected.</summary>
public sealed class ProblemException : BeeFormerException
{
    internal ProblemException(int status, string code, string detail) : base(detail) => (Status, Code) = (status, code);

    /// <summary>HTTP status, 300 to 599.</summary>
    public int Status { get; }

    /// <summary>Stable: what programs look at, such as <c>invalid_field</c>, <c>not_found</c>, <c>rate_limited</c>. <c>status_502</c> and the like where something else than the server answered.</summary>
    public string Code { get; }

    /// <summary>The member that is wrong, as a path such as <c>filter.must[2].gte</c>. Null: none in particular.</summary>
    public string? Field { get; internal init; }

    /// <summary>Finds the request in the server's log.</summary>
    public string? TraceId { get; internal init; }

    /// <summary>Where a whole batch was refused: why, entry by entry. Else empty.</summary>
    public IReadOnlyList<Verdict> Verdicts { get; internal init; } = [];

    /// <inheritdoc/>
    public override bool Transient => Status is 408 or 429 or 502 or 503 or 504;
}

/// <summary>No answer came, or none that could be read: connection refused or cut, time over, something else than the expected JSON. Whether the request was carried out is not known.</summary>
public sealed class NoAnswerException : BeeFormerException
{
    internal NoAnswerException(string message, bool transient, Exception? inner = null) : base(message, inner) => Transient = transient;

    /// <inheritdoc/>
    public override bool Transient { get; }
}
