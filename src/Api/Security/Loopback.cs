using System.Net;

namespace BeeFormer.Streaming.Api;

/// <summary>Where an Api without keys may listen: nothing else would keep others out.</summary>
public static class Loopback
{
    public const string DefaultUrl = "http://127.0.0.1:8080";

    /// <param name="keyed">There are API keys, so others may be let in.</param>
    /// <exception cref="InvalidDataException">An address that other machines could reach, or none at all.</exception>
    public static void Check(string urls, bool keyed = false)
    {
        foreach (string url in urls.Split(';', StringSplitOptions.TrimEntries))
            if (!IsLoopback(Address(url).Host) && !keyed)
                throw new InvalidDataException($"{url} can be reached from other machines; expected a loopback address like {DefaultUrl}, since no API keys are configured. `beeformer keys new` makes one.");
    }

    /// <summary>The same address as this machine reaches it: what listens everywhere also listens here.</summary>
    public static string OnThisMachine(string url) =>
        Address(url) is { Host: "0.0.0.0" or "[::]" } address ? new UriBuilder(address) { Host = address.Host == "[::]" ? "[::1]" : "127.0.0.1" }.Uri.GetLeftPart(UriPartial.Authority) : url;

    private static Uri Address(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out Uri? address) && address.Scheme is ("http" or "https") ? address
        : throw new InvalidDataException($"{url} is no address to serve at; expected one like {DefaultUrl}, or http://0.0.0.0:8080 for all that this machine has.");

    private static bool IsLoopback(string host) => host == "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? ip) && IPAddress.IsLoopback(ip));
}
