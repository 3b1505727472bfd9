using System.Globalization;
using BeeFormer.Streaming.EventLog;

namespace BeeFormer.Streaming.Standalone.Access;

/// <summary>Through the HTTP API of a running server.</summary>
internal sealed class ServedDeadLetters(Uri server) : IDeadLetterAccess
{
    private readonly ServerClient client = new(server);

    public string Name => client.Name;

    public Task<DeadLettersReport> ListAsync(DeadLetterChoice choice, int limit, string? after, CancellationToken cancellationToken)
    {
        string query = string.Create(CultureInfo.InvariantCulture, $"v1/dead-letters?limit={limit}");
        foreach (var (name, value) in new[] { ("reason", choice.Reason), ("topic", choice.Topic), ("after", after) })
            if (value is not null) query += $"&{name}={Uri.EscapeDataString(value)}";
        return client.SendAsync<DeadLettersReport>(HttpMethod.Get, query, null, cancellationToken);
    }

    public Task<DeadLetterReport> ShowAsync(string id, CancellationToken cancellationToken)
    {
        LogPlace place = StoredDeadLetters.Place(id);
        return client.SendAsync<DeadLetterReport>(HttpMethod.Get, string.Create(CultureInfo.InvariantCulture, $"v1/dead-letters/{Uri.EscapeDataString(place.Topic)}/{place.Partition}/{place.Offset}"), null, cancellationToken);
    }

    public Task<ReplayedReport> ReplayAsync(DeadLetterChoice choice, bool force, bool dryRun, CancellationToken cancellationToken)
    {
        bool all = choice is { Ids.Count: 0, Reason: null, Topic: null };
        return client.SendAsync<ReplayedReport>(HttpMethod.Post, "v1/dead-letters/replay",
            ServerClient.Json(new { ids = choice.Ids.Count > 0 ? choice.Ids : null, choice.Reason, choice.Topic, all, force, dryRun }), cancellationToken);
    }

    public void Dispose() => client.Dispose();
}
