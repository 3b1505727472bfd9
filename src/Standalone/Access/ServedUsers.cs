using BeeFormer.Streaming.Api;

namespace BeeFormer.Streaming.Standalone.Access;

/// <summary>Through the HTTP API of a running server.</summary>
internal sealed class ServedUsers(Uri server) : IUserAccess
{
    private readonly ServerClient client = new(server);

    public string Name => client.Name;

    public async Task EraseAsync(string id, CancellationToken cancellationToken)
    {
        using HttpResponseMessage _ = await client.AskAsync(HttpMethod.Delete, Of(id), null, cancellationToken);
    }

    public Task<ErasureReport> VerifyAsync(string id, CancellationToken cancellationToken) => client.SendAsync<ErasureReport>(HttpMethod.Get, Of(id) + "/erasure", null, cancellationToken);

    public void Dispose() => client.Dispose();

    /// <summary>Of "." and ".." a path would make something of its own.</summary>
    private static string Of(string id) => $"v1/users/{(id is "." or ".." ? id.Replace(".", "%2E", StringComparison.Ordinal) : Uri.EscapeDataString(id))}";
}
