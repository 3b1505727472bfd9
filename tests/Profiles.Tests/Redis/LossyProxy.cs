using System.Net;
using System.Net.Sockets;

namespace BeeFormer.Streaming.Profiles.Tests.Redis;

/// <summary>Passes everything on to the server, and now and then loses an answer together with the connection: the server has done what was asked, the client cannot know.</summary>
internal sealed class LossyProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly int _serverPort;
    private readonly Func<bool> _loses;
    private readonly Task _accepting;
    private int _lost;

    /// <param name="loses">Asked for each piece of an answer, by several threads.</param>
    public LossyProxy(int serverPort, Func<bool> loses)
    {
        (_serverPort, _loses) = (serverPort, loses);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Lost => Volatile.Read(ref _lost);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true) connections.Add(PassAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task PassAsync(TcpClient client)
    {
        using var server = new TcpClient();
        using (client)
        {
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _serverPort, _stop.Token);
                var asking = client.GetStream().CopyToAsync(server.GetStream(), _stop.Token);
                var buffer = new byte[1 << 16];
                for (int read; (read = await server.GetStream().ReadAsync(buffer, _stop.Token)) > 0;)
                {
                    if (_loses())
                    {
                        Interlocked.Increment(ref _lost);
                        return;
                    }
                    await client.GetStream().WriteAsync(buffer.AsMemory(0, read), _stop.Token);
                }
                await asking;
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // One side has gone, so does the other.
            }
        }
    }
}
