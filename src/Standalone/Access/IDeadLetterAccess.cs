namespace BeeFormer.Streaming.Standalone.Access;

/// <summary>The dead letters of one data folder, by whichever way is safe.</summary>
internal interface IDeadLetterAccess : IAccess
{
    /// <param name="after">Only letters behind this id; null: from the first one.</param>
    Task<DeadLettersReport> ListAsync(DeadLetterChoice choice, int limit, string? after, CancellationToken cancellationToken);
    Task<DeadLetterReport> ShowAsync(string id, CancellationToken cancellationToken);
    Task<ReplayedReport> ReplayAsync(DeadLetterChoice choice, bool force, bool dryRun, CancellationToken cancellationToken);
}

/// <summary>Which letters are meant: <paramref name="Ids"/>, or those with a reason or of a topic; all where nothing is given.</summary>
internal sealed record DeadLetterChoice(IReadOnlyList<string> Ids, string? Reason, string? Topic);

internal static class DeadLetterAccess
{
    public static IDeadLetterAccess Open(string path) => DataAccess.Open<IDeadLetterAccess>(path, folder => new StoredDeadLetters(folder, path), server => new ServedDeadLetters(server));
}
