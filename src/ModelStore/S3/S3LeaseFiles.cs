using System.Collections.Concurrent;
using System.Globalization;

namespace BeeFormer.Streaming.ModelStore.S3;

/// <summary>Leases as objects <c>holders/&lt;name&gt;/&lt;token, 20 digits&gt;.json</c>: created on the condition that there is none, rewritten on the condition that nothing has happened to it since.</summary>
internal sealed class S3LeaseFiles(S3Objects objects) : ILeaseFiles
{
    private const int MostBytes = 4096;
    private static readonly Dictionary<string, string> NoMetadata = [];
    /// <summary>Of what this process wrote.</summary>
    private readonly ConcurrentDictionary<string, string> eTags = new(StringComparer.Ordinal);

    public string Machine => Environment.MachineName;

    public long Highest(string name) => Tokens(name).Select(one => one.Token).DefaultIfEmpty().Max();

    public byte[]? Read(string name, long token)
    {
        try
        {
            return objects.GetChanged(NameOf(name, token), known: null, MostBytes).Content?.Bytes;
        }
        catch (InvalidDataException)
        {
            return []; // too long to be a record: damaged, and taken over as one that does not change
        }
    }

    public bool TryCreate(string name, long token, byte[] content) => TryPut(NameOf(name, token), content, replaces: null);

    public bool TryRewrite(string name, long token, byte[] content)
    {
        string record = NameOf(name, token);
        if (eTags.TryGetValue(record, out string? known) && TryPut(record, content, known)) return true;
        // A write whose answer never came may have arrived after all. Nobody but its holder writes to it, so what is there now is our own.
        return objects.Head(record) is { } found && TryPut(record, content, found.ETag);
    }

    public void RemoveBelow(string name, long token)
    {
        foreach ((string record, _) in Tokens(name).Where(one => one.Token < token))
        {
            objects.Delete(record);
            eTags.TryRemove(record, out _);
        }
    }

    /// <summary>Nobody can see whether another machine's process has ended: it is followed after <see cref="LeaseTimes.Length"/>.</summary>
    public IDisposable? Attend(string name, Guid holder) => null;

    public bool HasEnded(string name, LeaseRecord record) => false;

    private bool TryPut(string record, byte[] content, string? replaces)
    {
        if (objects.TryPut(record, content, replaces, NoMetadata) is not { } eTag) return false;
        eTags[record] = eTag;
        return true;
    }

    private IEnumerable<(string Name, long Token)> Tokens(string name) => objects.List($"holders/{name}/")
        .Select(entry => (entry.Name, long.TryParse(Path.GetFileNameWithoutExtension(entry.Name), NumberStyles.None, CultureInfo.InvariantCulture, out long token) ? token : 0));

    private static string NameOf(string name, long token) => string.Create(CultureInfo.InvariantCulture, $"holders/{name}/{token:D20}.json");
}
