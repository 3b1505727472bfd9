using BeeFormer.Streaming.FakeQdrant;
using BeeFormer.Streaming.VectorIndex.Qdrant;
using Microsoft.Extensions.Logging.Abstractions;

namespace BeeFormer.Streaming.VectorIndex.Tests;

/// <summary>Indexes on a fake server.</summary>
internal static class QdrantFixture
{
    public static QdrantVectorIndex Index(FakeQdrantServer server, TimeProvider? time = null, Action<QdrantOptions>? set = null) => Index(server.Endpoint.ToString(), time, set);

    public static QdrantVectorIndex Index(string endpoint, TimeProvider? time = null, Action<QdrantOptions>? set = null)
    {
        var options = new QdrantOptions { Endpoint = endpoint };
        set?.Invoke(options);
        return new QdrantVectorIndex(options, time ?? TimeProvider.System, NullLogger<QdrantVectorIndex>.Instance);
    }

    public static async Task UntilAsync(Func<bool> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, TestContext.Current.CancellationToken);
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!holds()) await pause.WaitForNextTickAsync(either.Token);
    }
}
