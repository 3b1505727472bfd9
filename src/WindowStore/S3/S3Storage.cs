using System.Globalization;
using System.Security.Cryptography;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore.S3;

/// <summary>
/// Segments as objects <c>&lt;topic&gt;/p=&lt;partition&gt;/&lt;first, 20 digits&gt;.parquet</c>; the last offset stands in the metadata. There are no locks: every write is a PUT on the condition that
/// there is no object of that name, or still the version that was read. A writer's segment starts where the one before ended, so two writers of one partition always meet on a name.
/// An object is deleted only after a mark took its place on that condition, so that nothing is deleted that somebody has changed meanwhile.
/// </summary>
internal sealed class S3Storage : ISegmentStorage, IDisposable
{
    private const string FormatRecord = "window-store.format";
    private const string Format = "beeformer window store on S3, format 1";
    private const int Attempts = S3Listing.Attempts;
    private static readonly string[] BothTopics = [Topics.Interactions, Topics.Items];
    private static readonly Dictionary<string, string> NoMetadata = [];

    private readonly S3Objects objects;
    private readonly S3Cache cache;
    private readonly TimeProvider time;
    private readonly S3Listing listing;

    /// <exception cref="InvalidDataException">The place was made by another format version.</exception>
    /// <exception cref="IOException">It cannot be reached; the message says why.</exception>
    public S3Storage(S3Objects objects, S3Cache cache, TimeProvider time)
    {
        (this.objects, this.cache, this.time, listing) = (objects, cache, time, new S3Listing(objects));
        cache.Create();
        S3Format.Claim(objects, FormatRecord, Format, BothTopics);
        cache.Trim();
    }

    public static S3Storage Open(S3Location location, string folder, StorageOptions options, TimeProvider time) => new(
        new S3Objects(S3Client.Create(options.S3), location, new S3Resilience(time)), new S3Cache(Path.Combine(Path.GetFullPath(folder), "s3-cache"), options.CacheBytes, time), time);

    public string SpillFolder => cache.SpillFolder;

    public IReadOnlyList<Segment> Visible(string topic) => S3Listing.VisibleOf(listing.All($"{topic}/"));

    public IReadOnlyList<Segment> Visible(string topic, int partition) => S3Listing.VisibleOf(listing.All($"{topic}/p={partition}/"));

    public OpenSegments Open(string topic, Func<Segment, bool>? needed = null)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            var visible = Visible(topic);
            cache.RemoveOthers(topic, Copies(topic, visible), wait: false);
            if (TryFetch(topic, visible, needed ?? (_ => true)) is { } open) return open;
        }
        throw new IOException($"{objects.FullName(topic)}: segments were changed by others in each of {Attempts} attempts to read them.");
    }

    public bool TryCreate(string topic, int partition, long first, long last, Action<string> write)
    {
        if (SegmentFolder.IsTaken(Visible(topic, partition), first, last)) return false;
        if (TryPut(topic, new Segment(partition, first, last, ""), replaces: null, time.GetUtcNow().ToUnixTimeMilliseconds(), write) is not { } eTag) return false;
        // A merge may have taken the place of segments that this writer did not see, and freed the name: then all of the range is covered already.
        return Visible(topic, partition).Any(segment => segment.First == first && segment.Version == eTag);
    }

    public bool TryReplace(string topic, IReadOnlyList<Segment> parts, Action<IReadOnlyList<Segment>, string> write)
    {
        long landed = parts.Max(part => LandedMs(topic, part));
        string? eTag;
        using (var open = TryFetch(topic, parts, _ => true))
        {
            if (open is null) return false;
            eTag = TryPut(topic, parts[0] with { Last = parts[^1].Last }, replaces: parts[0].Version, landed, temporary => write(open.Segments, temporary));
        }
        if (eTag is null) return false;
        foreach (var part in parts.Skip(1)) Remove(topic, part);
        cache.RemoveOthers(topic, Copies(topic, Visible(topic)), wait: true);
        return true;
    }

    public void RemoveLeftovers()
    {
        foreach (string topic in BothTopics)
        {
            var all = listing.All($"{topic}/", marks: true);
            var visible = S3Listing.VisibleOf(all);
            foreach (var covered in all.Except(visible)) Remove(topic, covered);
            cache.RemoveOthers(topic, Copies(topic, visible), wait: false);
            listing.ForgetOthers(topic, all);
        }
        cache.Trim();
    }

    public long LandedMs(string topic, Segment segment) => listing.FactsOf(S3Listing.NameOf(topic, segment), segment.Version)?.LandedMs ?? time.GetUtcNow().ToUnixTimeMilliseconds();

    public IDisposable Maintain() => cache.Maintain();

    public IReadOnlyList<(string Name, string Version)> Records(string folder) => [.. objects.List($"{folder}/").Select(entry => (entry.Name, entry.ETag))];

    public StoredRecord? Read(string name) => objects.Get(name, eTag: null) is { } content ? new StoredRecord(content.Bytes, content.ETag) : null;

    public bool TryWrite(string name, byte[] content, string? version) => objects.TryPut(name, content, version, NoMetadata) is not null;

    public string NameOf(Segment segment) => objects.FullName(S3Listing.NameOf(Topics.Interactions, segment));

    public OpenSegments OpenEverything(out IReadOnlyList<string> otherFiles)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            var all = listing.All($"{Topics.Interactions}/");
            if (TryFetch(Topics.Interactions, all, _ => true) is not { } open) continue;
            var known = open.Segments.Select(segment => segment.File).ToHashSet(StringComparer.Ordinal);
            otherFiles = [.. cache.Files().Where(file => !known.Contains(file))];
            return open;
        }
        throw new IOException($"{objects.FullName(Topics.Interactions)}: segments were changed by others in each of {Attempts} attempts to read them.");
    }

    public void Dispose() => objects.Dispose();

    /// <returns>The ETag; null: somebody else was first.</returns>
    private string? TryPut(string topic, Segment segment, string? replaces, long landedMs, Action<string> write)
    {
        byte[] content;
        using (cache.Share()) // the temporary file is in use
        {
            string temporary = cache.NewTemporary();
            try
            {
                write(temporary);
                content = SegmentStamp.Stamped(File.ReadAllBytes(temporary), Guid.NewGuid());
            }
            finally
            {
                File.Delete(temporary);
            }
        }
        return TryPut(topic, segment, content, replaces, new S3Facts(segment.Last, landedMs, content.Length));
    }

    private string? TryPut(string topic, Segment segment, byte[] content, string? replaces, S3Facts written)
    {
        string name = S3Listing.NameOf(topic, segment);
        string? eTag = objects.TryPut(name, content, replaces, new Dictionary<string, string>
        {
            ["last"] = written.Last.ToString(CultureInfo.InvariantCulture), ["landed"] = written.LandedMs.ToString(CultureInfo.InvariantCulture),
        });
        if (eTag is not null) listing.Remember(name, eTag, written);
        return eTag;
    }

    /// <summary>Deletes a covered object if it is still the version that was read; a store that knows no conditional deletion is safe by the mark alone, unless the caller stands still in between.</summary>
    private void Remove(string topic, Segment segment)
    {
        byte[] mark = RandomNumberGenerator.GetBytes(S3Listing.MarkBytes);
        if (TryPut(topic, segment, mark, segment.Version, new S3Facts(segment.Last, LandedMs(topic, segment), mark.Length)) is { } eTag) objects.Delete(S3Listing.NameOf(topic, segment), eTag);
    }

    /// <returns>Null: an object was changed or removed since it was listed.</returns>
    private OpenSegments? TryFetch(string topic, IReadOnlyList<Segment> segments, Func<Segment, bool> needed)
    {
        var sharing = cache.Share();
        try
        {
            var local = segments.Select(segment => needed(segment) ? segment with { File = cache.File(topic, segment) } : segment).ToList();
            if (S3Calls.AtOnce(local.Where(segment => segment.File.Length > 0), segment => IsFetched(topic, segment)).All(fetched => fetched)) return new OpenSegments(local, () => { sharing.Dispose(); cache.Trim(); });
        }
        catch
        {
            sharing.Dispose();
            throw;
        }
        sharing.Dispose();
        return null;
    }

    private bool IsFetched(string topic, Segment segment)
    {
        string name = S3Listing.NameOf(topic, segment);
        if (listing.FactsOf(name, segment.Version) is not { } fact) return false;
        if (cache.Has(segment.File, fact.Size)) return true;
        if (objects.Get(name, segment.Version) is not { } content) return false;
        cache.Add(segment.File, content.Bytes);
        return true;
    }

    private HashSet<string> Copies(string topic, IReadOnlyList<Segment> segments) => segments.Select(segment => cache.File(topic, segment)).ToHashSet(StringComparer.Ordinal);
}
