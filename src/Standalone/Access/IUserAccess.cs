using BeeFormer.Streaming.Api;

namespace BeeFormer.Streaming.Standalone.Access;

/// <summary>The users of one data folder, by whichever way is safe.</summary>
internal interface IUserAccess : IAccess
{
    /// <summary>Asks for the user to be erased; durable on return, not yet done.</summary>
    Task EraseAsync(string id, CancellationToken cancellationToken);

    Task<ErasureReport> VerifyAsync(string id, CancellationToken cancellationToken);
}

internal static class UserAccess
{
    public static IUserAccess Open(string path) => DataAccess.Open<IUserAccess>(path, folder => new StoredUsers(folder, path), server => new ServedUsers(server));
}
