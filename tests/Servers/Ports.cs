using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace BeeFormer.Streaming.Servers;

/// <summary>
/// Ports of this machine for servers that begin to listen later, or stop and listen again. Test programs run side by side: a port that was only seen free belongs to whoever asks next by the time it is
/// used. These are below those that systems give away themselves, and another program that takes its ports here gets none of this one's.
/// </summary>
internal static class Ports
{
    private const int First = 30_000, End = 32_768;

    private static readonly string s_claims = Path.Combine(Path.GetTempPath(), $"beeformer-ports-{Environment.UserName}");
    private static readonly List<FileStream> s_held = []; // as long as this program runs

    /// <summary>A free port, this program's until it ends.</summary>
    public static int Take()
    {
        Directory.CreateDirectory(s_claims);
        int begin = Environment.ProcessId % (End - First);
        for (int n = 0; n < End - First; n++)
        {
            int port = First + (begin + n) % (End - First);
            if (Claim(port) is not { } claim) continue;
            if (!IsFree(port))
            {
                claim.Dispose();
                continue;
            }
            lock (s_held) s_held.Add(claim);
            return port;
        }
        throw new InvalidOperationException($"All ports from {First} to {End - 1} are taken.");
    }

    private static FileStream? Claim(int port)
    {
        try
        {
            return new FileStream(Path.Combine(s_claims, port.ToString(CultureInfo.InvariantCulture)), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null; // another's
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
