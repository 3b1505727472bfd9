using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Text;
using BeeFormer.Streaming.Contracts;

namespace BeeFormer.Streaming.WindowStore.S3;

/// <summary>
/// Segments as objects <c>&lt;topic&gt;/p=&lt;partition&gt;/&lt;first, 20 digits&gt;.parquet</c>; the last offset stands in the metadata. There are no locks: every write is a PUT on the condition that
/// there is no object of that name, or still the version that was read. A writer's segment starts where the one before ended, so two writers of one partition always meet on a name.
/// An object is deleted only after an empty one took its place on that condition, so that nothing is deleted that somebody has changed meanwhile.
/// </summary>
internal sealed class S3Storage : ISegmentStorage, IDisposable
{
    private const string FormatRecord = "window-store.format";
    private const string Format = "beeformer window store on S3, format 1";
    private const int Attempts = 10;
    private const int CallsAtOnce = 8;
    private static readonly string[] BothTopics = [Topics.Interactions, Topics.Items];
    private static readonly Dictionary<string, string> NoMetadata = [];
    private static readonly byte[] FormatBytes = Encoding.UTF8.GetBytes(Format + "\n");

    private readonly S3Objects objects;
    private readonly S3Cache cache;
    private readonly TimeProvider time;
    /// <summary>What the metadata say, asked once for each version of an object.</summary>
    private readonly ConcurrentDictionary<(string Name, string ETag), Facts> facts = [];

    /// <exception cref="InvalidDataException">The place was made by another format version.</exception>
    /// <exception cref="IOException">It cannot be reached; the message says why.</exception>
    public S3Storage(S3Objects objects, S3Cache cache, TimeProvider time)
    {
        (this.objects, this.cache, this.time) = (objects, cache, time);
        cache.Create();
        Claim();
        cache.Trim();
    }

    public static S3Storage Open(S3Location location, string folder, StorageOptions options, TimeProvider time) => new(
        new S3Objects(S3Client.Create(options.S3), location, new S3Resilience(time)), new S3Cache(Path.Combine(Path.GetFullPath(folder), "s3-cache"), options.CacheBytes, time), time);

    public string SpillFolder => cache.SpillFolder;

    public IReadOnlyList<Segment> Visible(string topic) => VisibleOf(All($"{topic}/"));

    public IReadOnlyList<Segment> Visible(string topic, int partition) => VisibleOf(All($"{topic}/p={partition}/"));

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
            var all = All($"{topic}/");
            var visible = VisibleOf(all);
            foreach (var covered in all.Except(visible)) Remove(topic, covered);
            cache.RemoveOthers(topic, Copies(topic, visible), wait: false);
            var current = all.Select(segment => (NameOf(topic, segment), segment.Version)).ToHashSet();
            foreach (var old in facts.Keys.Where(key => key.Name.StartsWith($"{topic}/", StringComparison.Ordinal) && !current.Contains(key))) facts.TryRemove(old, out _);
        }
        cache.Trim();
    }

    public long LandedMs(string topic, Segment segment) => FactsOf(NameOf(topic, segment), segment.Version)?.LandedMs ?? time.GetUtcNow().ToUnixTimeMilliseconds();

    public IDisposable Maintain() => cache.Maintain();

    public IReadOnlyList<(string Name, string Version)> Records(string folder) => [.. objects.List($"{folder}/").Select(entry => (entry.Name, entry.ETag))];

    public StoredRecord? Read(string name) => objects.Get(name, eTag: null) is { } content ? new StoredRecord(content.Bytes, content.ETag) : null;

    public bool TryWrite(string name, byte[] content, string? version) => objects.TryPut(name, content, version, NoMetadata) is not null;

    public string NameOf(Segment segment) => objects.FullName(NameOf(Topics.Interactions, segment));

    public OpenSegments OpenEverything(out IReadOnlyList<string> otherFiles)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            var all = All($"{Topics.Interactions}/").Where(segment => FactsOf(NameOf(Topics.Interactions, segment), segment.Version)?.Size > 0).ToList();
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
        return TryPut(topic, segment, content, replaces, new Facts(segment.Last, landedMs, content.Length));
    }

    private string? TryPut(string topic, Segment segment, byte[] content, string? replaces, Facts written)
    {
        string name = NameOf(topic, segment);
        string? eTag = objects.TryPut(name, content, replaces, new Dictionary<string, string>
        {
            ["last"] = written.Last.ToString(CultureInfo.InvariantCulture), ["landed"] = written.LandedMs.ToString(CultureInfo.InvariantCulture),
        });
        if (eTag is not null) facts[(name, eTag)] = written;
        return eTag;
    }

    /// <summary>Deletes a covered object if it is still the version that was read.</summary>
    private void Remove(string topic, Segment segment)
    {
        if (TryPut(topic, segment, [], segment.Version, new Facts(segment.Last, LandedMs(topic, segment), 0)) is null) return;
        objects.Delete(NameOf(topic, segment));
        facts.TryRemove((NameOf(topic, segment), segment.Version), out _);
    }

    /// <returns>Null: an object was changed or removed since it was listed.</returns>
    private OpenSegments? TryFetch(string topic, IReadOnlyList<Segment> segments, Func<Segment, bool> needed)
    {
        var sharing = cache.Share();
        try
        {
            var local = segments.Select(segment => needed(segment) ? segment with { File = cache.File(topic, segment) } : segment).ToList();
            if (AtOnce(local.Where(segment => segment.File.Length > 0), segment => IsFetched(topic, segment)).All(fetched => fetched)) return new OpenSegments(local, () => { sharing.Dispose(); cache.Trim(); });
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
        string name = NameOf(topic, segment);
        if (FactsOf(name, segment.Version) is not { } fact) return false;
        if (cache.Has(segment.File, fact.Size)) return true;
        if (objects.Get(name, segment.Version) is not { } content) return false;
        cache.Add(segment.File, content.Bytes);
        return true;
    }

    /// <summary>
    /// All segments of a prefix. A listing is no picture of one moment: while it is read, a merge may remove what an earlier page shows in its old size. An object that is gone when its
    /// metadata are asked for may be left out if another covers it; a listing with a gap counts only if the next one is the same.
    /// </summary>
    private List<Segment> All(string prefix)
    {
        List<Segment>? before = null;
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            var entries = objects.List(prefix).Select(entry => (entry.Name, entry.ETag, Place: Place(entry.Name))).Where(entry => entry.Place is not null).ToList();
            var found = AtOnce(entries, entry => Current(entry.Name, entry.ETag));
            List<Segment> all = [.. entries.Zip(found).Where(one => one.Second is not null)
                .Select(one => new Segment(one.First.Place!.Value.Partition, one.First.Place.Value.First, one.Second!.Value.Facts.Last, "", one.Second.Value.ETag))
                .OrderBy(segment => segment.Partition).ThenBy(segment => segment.First)];
            var gone = entries.Zip(found).Where(one => one.Second is null).Select(one => one.First.Place!.Value).ToList();
            if (!gone.All(one => all.Any(segment => segment.Partition == one.Partition && segment.Meets(one.First, one.First)))) continue;
            if (!HasGap(VisibleOf(all)) || (before is not null && all.SequenceEqual(before))) return all;
            before = all;
        }
        throw new IOException($"{objects.FullName(prefix)}: segments were changed by others in each of {Attempts} attempts to list them.");
    }

    /// <returns>Null: there is no such version any more.</returns>
    private Facts? FactsOf(string name, string eTag) => Current(name, eTag) is { } current && current.ETag == eTag ? current.Facts : null;

    /// <param name="eTag">The version that was listed; where it is known already, nobody is asked.</param>
    /// <returns>Null: there is no such object any more.</returns>
    private (string ETag, Facts Facts)? Current(string name, string eTag)
    {
        if (facts.TryGetValue((name, eTag), out var known)) return (eTag, known);
        if (objects.Head(name) is not { } head) return null;
        if (!long.TryParse(head.Metadata.GetValueOrDefault("last"), NumberStyles.None, CultureInfo.InvariantCulture, out long last)
            || !long.TryParse(head.Metadata.GetValueOrDefault("landed"), NumberStyles.None, CultureInfo.InvariantCulture, out long landed))
            throw new InvalidDataException($"{objects.FullName(name)} lacks the metadata last and landed; expected an object as the store wrote it.");
        return (head.ETag, facts[(name, head.ETag)] = new Facts(last, landed, head.Size));
    }

    private void Claim()
    {
        var found = objects.List(FormatRecord);
        if (found.Count == 0)
        {
            if (BothTopics.FirstOrDefault(topic => objects.List($"{topic}/").Count > 0) is { } topic)
                throw new InvalidDataException($"{objects.FullName(topic)} holds objects but there is no {FormatRecord}; expected a place that this store made, or an empty one.");
            TryWrite(FormatRecord, FormatBytes, version: null);
        }
        string claimed = Read(FormatRecord) is { } record ? Encoding.UTF8.GetString(record.Content).Trim() : "";
        if (claimed != Format) throw new InvalidDataException($"{objects.FullName(FormatRecord)} says \"{claimed}\", expected \"{Format}\": the place was made by another version and is left untouched.");
        // Both must be refused. Where they are not, the same is written once more.
        if (TryWrite(FormatRecord, FormatBytes, version: null) || TryWrite(FormatRecord, FormatBytes, version: new string('0', 32)))
            throw new InvalidDataException($"{objects.FullName("")} does not heed the conditions of writes (If-None-Match, If-Match); expected a store that does, since two writers would overwrite one another.");
    }

    private HashSet<string> Copies(string topic, IReadOnlyList<Segment> segments) => segments.Select(segment => cache.File(topic, segment)).ToHashSet(StringComparer.Ordinal);

    /// <summary>Results in the order of the source.</summary>
    private static TResult[] AtOnce<TSource, TResult>(IEnumerable<TSource> source, Func<TSource, TResult> call)
    {
        try
        {
            return [.. source.AsParallel().AsOrdered().WithDegreeOfParallelism(CallsAtOnce).Select(call)];
        }
        catch (AggregateException failures)
        {
            ExceptionDispatchInfo.Throw(failures.InnerExceptions[0]);
            throw;
        }
    }

    private static List<Segment> VisibleOf(IReadOnlyList<Segment> all) => [.. all.GroupBy(segment => segment.Partition).SelectMany(SegmentFolder.Visible)];

    private static bool HasGap(List<Segment> visible) =>
        Enumerable.Range(1, Math.Max(0, visible.Count - 1)).Any(n => visible[n].Partition == visible[n - 1].Partition && visible[n].First > visible[n - 1].Last + 1);

    private static string NameOf(string topic, Segment segment) => string.Create(CultureInfo.InvariantCulture, $"{topic}/p={segment.Partition}/{segment.First:D20}.parquet");

    /// <returns>Null: no segment's name.</returns>
    private static (int Partition, long First)? Place(string name)
    {
        string[] parts = name.Split('/');
        return parts.Length == 3 && parts[1].StartsWith("p=", StringComparison.Ordinal) && parts[2].Length == 28 && parts[2].EndsWith(".parquet", StringComparison.Ordinal)
            && int.TryParse(parts[1].AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out int partition)
            && long.TryParse(parts[2].AsSpan(0, 20), NumberStyles.None, CultureInfo.InvariantCulture, out long first) ? (partition, first) : null;
    }

    /// <param name="Last">Last offset covered.</param>
    /// <param name="LandedMs">When the newest rows were written, UTC milliseconds.</param>
    /// <param name="Size">Bytes.</param>
    private sealed record Facts(long Last, long LandedMs, long Size);
}
