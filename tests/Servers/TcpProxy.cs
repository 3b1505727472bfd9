using System.Net;
using System.Net.Sockets;

namespace BeeFormer.Streaming.Servers;

/// <summary>Between a server and those who use it: can cut all connections, refuse new ones, and hold bytes back.</summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private readonly int _target;
    private readonly TcpListener _listener = Listen();
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<Socket> _open = [];
    private readonly Task _accepting;

    public TcpProxy(int target)
    {
        _target = target;
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How long each piece is held back, in both directions.</summary>
    public TimeSpan Delay { get; set; }
    public bool Refuses { get; set; }

    /// <summary>Every connection ends at once, whatever is on its way in it.</summary>
    /// <returns>How many there were.</returns>
    public int Cut()
    {
        Socket[] open;
        lock (_open) open = [.. _open];
        foreach (Socket socket in open) Close(socket);
        return open.Length / 2;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket client = await _listener.AcceptSocketAsync(_stop.Token);
                if (Refuses) client.Close(0);
                else _ = JoinAsync(client);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task JoinAsync(Socket client)
    {
        var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        lock (_open) _open.UnionWith([client, server]);
        try
        {
            client.NoDelay = server.NoDelay = true;
            await server.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
            await Task.WhenAny(PumpAsync(client, server), PumpAsync(server, client));
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException)
        {
        }
        finally
        {
            Close(client);
            Close(server);
        }
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        byte[] piece = new byte[64 << 10];
        try
        {
            while (await from.ReceiveAsync(piece, _stop.Token) is > 0 and var bytes)
            {
                if (Delay > TimeSpan.Zero) await Task.Delay(Delay, TimeProvider.System, _stop.Token);
                for (int sent = 0; sent < bytes;) sent += await to.SendAsync(piece.AsMemory(sent, bytes - sent), _stop.Token);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private void Close(Socket socket)
    {
        lock (_open) _open.Remove(socket);
        socket.Close(0);
    }

    private static TcpListener Listen()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return listener;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        Cut();
        await _accepting;
        _stop.Dispose();
    }
}
