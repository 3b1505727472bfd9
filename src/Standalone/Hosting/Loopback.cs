using System.Net;

namespace BeeFormer.Streaming.Standalone.Hosting;

internal static class Loopback
{
    public const string DefaultUrl = "http://127.0.0.1:8080";

    /// <exception cref="InvalidDataException">An address that other machines could reach, or none at all.</exception>
    public static void Check(string urls)
    {
        foreach (string url in urls.Split(';', StringSplitOptions.TrimEntries))
        {
            if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? address) || address.Scheme is not ("http" or "https"))
                throw new InvalidDataException($"{url} is no address to serve at; expected one like {DefaultUrl}.");
            bool local = address.Host == "localhost" || (IPAddress.TryParse(address.Host.Trim('[', ']'), out IPAddress? ip) && IPAddress.IsLoopback(ip));
            if (!local) throw new InvalidDataException($"{url} can be reached from other machines; expected a loopback address like {DefaultUrl}, since no API keys are configured.");
        }
    }
}
