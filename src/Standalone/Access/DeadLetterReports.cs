using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.Standalone.Access;

// The answers of the API, by the same names, whoever gave them.

internal sealed record DeadLettersReport(int Total, int Matching, IReadOnlyList<DeadLetterRow> Letters, string? Next);

internal sealed record DeadLetterRow(string Id, string Reason, string Message, DateTimeOffset Timestamp, int? Bytes);

internal sealed record DeadLetterReport(string Id, string Reason, string Message, DateTimeOffset Timestamp, byte[]? Key, byte[]? Value, IReadOnlyList<DeadLetterHeader> Headers);

internal sealed record ReplayedReport(bool DryRun, int Replayed, int Superseded, int Unreadable, int Unknown, IReadOnlyList<StayingRow> Staying);

internal sealed record StayingRow(string Id, string Outcome, string Why);
