using System.Runtime.InteropServices;
using BeeFormer.Streaming.FakeQdrant;

// fake-qdrant [--port N] [--api-key K] [--journal FILE]: prints its address on the first line and serves until SIGTERM.
string? Option(string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

await using var server = await FakeQdrantServer.StartAsync(new()
{
    Port = Option("--port") is { } port ? int.Parse(port, System.Globalization.CultureInfo.InvariantCulture) : 0,
    ApiKey = Option("--api-key"),
    Journal = Option("--journal"),
    RecordCalls = false,
});
var stopped = new TaskCompletionSource();
using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
Console.WriteLine(server.Endpoint.ToString().TrimEnd('/'));
await stopped.Task;

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stopped.TrySetResult();
}
