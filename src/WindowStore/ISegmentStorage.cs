namespace BeeFormer.Streaming.WindowStore;

/// <summary>
/// Where segments and a few small records lie. A segment covers a range of offsets of one partition; one that lies inside the range of another is not seen.
/// Failures of the place are <see cref="IOException"/>s.
/// </summary>
internal interface ISegmentStorage
{
    /// <summary>Folder on this machine into which queries may spill.</summary>
    string SpillFolder { get; }

    /// <summary>What readers see, ordered by partition and offset. Files need not be on this machine.</summary>
    IReadOnlyList<Segment> Visible(string topic);

    /// <inheritdoc cref="Visible(string)"/>
    IReadOnlyList<Segment> Visible(string topic, int partition);

    /// <summary>The visible segments; those that <paramref name="needed"/> names are files on this machine that stay as they are until the result is disposed.</summary>
    OpenSegments Open(string topic, Func<Segment, bool>? needed = null);

    /// <summary>Writes a segment, durable on return. False: the range is covered already, and what readers see has not changed.</summary>
    /// <param name="write">Makes the file that it is given the name of.</param>
    bool TryCreate(string topic, int partition, long first, long last, Action<string> write);

    /// <summary>Puts one segment in the place of gapless neighbours (or of one), in one step for readers. False: somebody has changed them meanwhile, and nothing was changed. Within <see cref="Maintain"/>.</summary>
    /// <param name="write">Given the parts as files on this machine, and the name of the file to make.</param>
    bool TryReplace(string topic, IReadOnlyList<Segment> parts, Action<IReadOnlyList<Segment>, string> write);

    /// <summary>Removes covered segments and the temporary files of writers that died. Within <see cref="Maintain"/>.</summary>
    void RemoveLeftovers();

    /// <summary>When the newest rows of a segment were written to the store, UTC milliseconds; merging and erasing do not change it.</summary>
    long LandedMs(string topic, Segment segment);

    /// <summary>Keeps other maintenance away that shares this machine's folder.</summary>
    IDisposable Maintain();

    /// <summary>Names of the records in a folder, with the version of each.</summary>
    IReadOnlyList<(string Name, string Version)> Records(string folder);

    /// <returns>Null: there is no such record.</returns>
    StoredRecord? Read(string name);

    /// <summary>Writes a record whole and durably. Within <see cref="Maintain"/>.</summary>
    /// <param name="version">The version that is replaced; null: there must be none.</param>
    /// <returns>False: there is another version, and it was left alone.</returns>
    bool TryWrite(string name, byte[] content, string? version);

    /// <summary>The name of a segment of interactions for people: its file, or its object.</summary>
    string NameOf(Segment segment);

    /// <summary>Every file that the storage has on this machine or elsewhere, covered segments, copies and temporary files included: for a search that must miss nothing.</summary>
    OpenSegments OpenEverything(out IReadOnlyList<string> otherFiles);
}

internal sealed record StoredRecord(byte[] Content, string Version);

/// <summary>Segments as files that nobody changes or removes until this is disposed.</summary>
internal sealed class OpenSegments(IReadOnlyList<Segment> segments, Action release) : IDisposable
{
    public IReadOnlyList<Segment> Segments => segments;
    public void Dispose() => release();
}
