namespace BeeFormer.Streaming.Client;

/// <summary>What all stores of the server hold of a user.</summary>
/// <param name="UserId">As given.</param>
/// <param name="Erased">Nothing holds the user any more.</param>
/// <param name="Verdict"><c>erased</c>, <c>not yet: …</c> with the stores that hold something, or <c>until …</c> where only a log that erases nothing does.</param>
/// <param name="Stores">One by one.</param>
/// <param name="Until">When the retention of such a log will have removed the last message.</param>
public sealed record Erasure(string UserId, bool Erased, string Verdict, IReadOnlyList<SearchedStore> Stores, DateTimeOffset? Until = null);

/// <param name="Store">Its name.</param>
/// <param name="Searched">What was looked at, and how.</param>
/// <param name="Found">What holds the user; empty: nothing.</param>
/// <param name="Notes">What is no finding and should be known.</param>
public sealed record SearchedStore(string Store, string Searched, IReadOnlyList<string> Found, IReadOnlyList<string> Notes);
