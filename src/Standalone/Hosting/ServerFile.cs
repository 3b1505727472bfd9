using System.Text.Json;
using BeeFormer.Streaming.Api;

namespace BeeFormer.Streaming.Standalone.Hosting;

/// <summary>
/// <c>server.json</c> in the data folder: where the process that works on the folder serves its API, for commands given beside it. Whoever locks the folder removes what a dead process left, so the file means something
/// exactly as long as the lock is held.
/// </summary>
internal static class ServerFile
{
    private sealed record Content(string[] Urls);

    public static void Write(string root, IEnumerable<string> urls) =>
        DurableFiles.Rewrite(At(root), stream => JsonSerializer.Serialize(stream, new Content([.. urls.Select(Loopback.OnThisMachine)]), JsonSerializerOptions.Web));

    public static void Remove(string root) => File.Delete(At(root));

    /// <returns>Null: the process serves no API, or not yet.</returns>
    /// <exception cref="InvalidDataException">Somebody else wrote the file: it names an address that is not on this machine.</exception>
    public static Uri? Read(string root)
    {
        try
        {
            if (JsonSerializer.Deserialize<Content>(File.ReadAllBytes(At(root)), JsonSerializerOptions.Web) is not { Urls: [{ } url, ..] }) return null;
            Loopback.Check(url);
            return new Uri(url);
        }
        catch (Exception unreadable) when (unreadable is FileNotFoundException or JsonException)
        {
            return null;
        }
    }

    private static string At(string root) => Path.Combine(root, "server.json");
}
