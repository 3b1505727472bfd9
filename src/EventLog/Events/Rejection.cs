namespace BeeFormer.Streaming.EventLog.Events;

/// <summary>Why an event cannot be taken.</summary>
/// <param name="Reason">Stable code, one of <see cref="RejectionReasons"/>.</param>
/// <param name="Message">A sentence that names the field and what was expected.</param>
public sealed record Rejection(string Reason, string Message);

public static class RejectionReasons
{
    public const string InvalidJson = "invalid_json";
    public const string MissingField = "missing_field";
    public const string InvalidField = "invalid_field";
    public const string KeyMismatch = "key_mismatch";
    public const string FutureTimestamp = "future_timestamp";
}
