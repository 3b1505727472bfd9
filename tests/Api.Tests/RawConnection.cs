using System.Net.Sockets;
using System.Text;

namespace BeeFormer.Streaming.Api.Tests;

/// <summary>HTTP as bytes, for what no client library would send.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly TcpClient _client = new();

    public static async Task<RawConnection> OpenAsync(ApiUnderTest api)
    {
        var connection = new RawConnection();
        await connection._client.ConnectAsync(api.Client.BaseAddress!.Host, api.Client.BaseAddress.Port, ApiUnderTest.Token);
        return connection;
    }

    public Task SendAsync(string text) => _client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text), ApiUnderTest.Token).AsTask();

    /// <summary>All that the server sends until it closes the connection.</summary>
    public async Task<string> ReadToEndAsync()
    {
        using var all = new MemoryStream();
        byte[] buffer = new byte[16384];
        try
        {
            while (await _client.GetStream().ReadAsync(buffer, ApiUnderTest.Token) is > 0 and var read) all.Write(buffer, 0, read);
        }
        catch (IOException)
        {
            // Closed with something of ours unread.
        }
        return Encoding.UTF8.GetString(all.ToArray());
    }

    public static async Task<string> AskAsync(ApiUnderTest api, string requestLine, string? body = null)
    {
        using var connection = await OpenAsync(api);
        await connection.SendAsync($"{requestLine} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{(body is null ? "" : $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n")}\r\n{body}");
        return await connection.ReadToEndAsync();
    }

    public void Dispose() => _client.Dispose();
}
