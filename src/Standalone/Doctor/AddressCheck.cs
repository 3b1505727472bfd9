using System.Net;
using System.Net.Sockets;
using BeeFormer.Streaming.Api;
using BeeFormer.Streaming.Standalone.Hosting;

namespace BeeFormer.Streaming.Standalone.Doctor;

/// <summary>Whether <c>serve</c> could listen where it is told to.</summary>
internal static class AddressCheck
{
    /// <param name="urls">Separated by semicolons.</param>
    /// <param name="own">Where a server on the same data folder listens; null: there is none.</param>
    /// <param name="keys">Whether API keys keep strangers out, so that any address will do.</param>
    public static Finding Look(string urls, Uri? own, bool keys = false)
    {
        try
        {
            if (!keys) Loopback.Check(urls);
        }
        catch (InvalidDataException refused)
        {
            return Finding.Problem("address", refused.Message, "Name another address (--urls, --port).");
        }
        foreach (string text in urls.Split(';', StringSplitOptions.TrimEntries))
        {
            if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? url)) return Finding.Problem("address", $"\"{text}\" is no address; expected http://host:port.", "Name another address (--urls, --port).");
            if (url.Authority == own?.Authority) return Finding.Ok("address", $"{urls}: the server of the data folder listens there");
            if (Listen(url) is { } why) return Finding.Problem("address", $"{url.GetLeftPart(UriPartial.Authority)}: {why}", "End the process that listens there, or name another address (--urls, --port).");
        }
        return Finding.Ok("address", $"{urls} is free");
    }

    /// <returns>Why not; null: it is free.</returns>
    private static string? Listen(Uri url)
    {
        IPAddress address = IPAddress.TryParse(url.Host.Trim('[', ']'), out IPAddress? ip) ? ip : url.Host == "localhost" ? IPAddress.Loopback : IPAddress.Any;
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, url.Port));
            socket.Listen(1);
            return null;
        }
        catch (SocketException refused)
        {
            return refused.Message;
        }
    }
}
