namespace BeeFormer.Streaming.Api;

/// <summary>What all stores hold of a user.</summary>
/// <param name="Verdict"><c>erased</c>, <c>not yet: …</c> with the stores that hold something, or <c>until …</c> where only a log that erases nothing does.</param>
/// <param name="Until">When the retention of such a log will have removed the last message.</param>
public sealed record ErasureReport(string UserId, bool Erased, string Verdict, DateTimeOffset? Until, IReadOnlyList<SearchedStore> Stores);

/// <param name="Searched">What was looked at, and how.</param>
/// <param name="Found">What holds the user; empty: nothing.</param>
/// <param name="Notes">What is no finding and should be known.</param>
public sealed record SearchedStore(string Store, string Searched, IReadOnlyList<string> Found, IReadOnlyList<string> Notes);

/// <summary>Looks through every store for a user. Whoever hosts the stores provides it.</summary>
public interface IErasureSearch
{
    Task<ErasureReport> FindAsync(Contracts.UserId user, CancellationToken cancellationToken);
}
