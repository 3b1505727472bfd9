using System.Net;
using System.Net.Sockets;

namespace BeeFormer.Streaming.Client.Tests;

/// <summary>Passes bytes on to a server, and cuts the first connections when the server has begun to answer: the server did what it was asked, the client never hears of it.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private int _cuts;

    public CuttingProxy(Uri server, int cuts)
    {
        _cuts = cuts;
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync(server);
    }

    public Uri Address { get; }

    private async Task AcceptAsync(Uri server)
    {
        var connections = new List<Task>();
        try
        {
            while (true) connections.Add(PassAsync(await _listener.AcceptTcpClientAsync(_stop.Token), server));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task PassAsync(TcpClient client, Uri server)
    {
        using (client)
        using (var upstream = new TcpClient())
        {
            try
            {
                await upstream.ConnectAsync(server.Host, server.Port, _stop.Token);
                var requests = client.GetStream().CopyToAsync(upstream.GetStream(), _stop.Token);
                byte[] answer = new byte[65536];
                int read = await upstream.GetStream().ReadAsync(answer, _stop.Token);
                if (Interlocked.Decrement(ref _cuts) >= 0) return;
                await client.GetStream().WriteAsync(answer.AsMemory(0, read), _stop.Token);
                await await Task.WhenAny(requests, upstream.GetStream().CopyToAsync(client.GetStream(), _stop.Token)); // when one side goes, so does the other
            }
            catch (Exception over) when (over is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // One side has gone.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }
}
