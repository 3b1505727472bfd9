using System.Text.Json;
using BeeFormer.Streaming.Contracts;
using Microsoft.Extensions.Logging;

namespace BeeFormer.Streaming.EventLog.Embedded;

/// <summary>A topic: its partitions, its signal "something was committed", and how far each group got.</summary>
internal sealed class TopicLog : IAsyncDisposable
{
    private sealed record Layout(int Version, int Partitions, int PageBits, int SegmentBits);

    private readonly string _groupsPath;
    private readonly Dictionary<string, Dictionary<int, long>> _groups = [];
    private readonly Lock _groupsGate = new();
    private static readonly TimeSpan DropOldEvery = TimeSpan.FromMinutes(10);

    private readonly ITimer _dropOld;
    private TaskCompletionSource _committed = NewSignal();

    public TopicLog(string topic, string folder, EmbeddedEventLogOptions options, TimeProvider time, ILogger logger)
    {
        Directory.CreateDirectory(folder);
        var geometry = LoadLayout(Path.Combine(folder, "topic.json"), options);
        _groupsPath = Path.Combine(folder, "groups.json");
        if (File.Exists(_groupsPath)) _groups = ReadJson<Dictionary<string, Dictionary<int, long>>>(_groupsPath);
        Partitions = new PartitionLog[options.Partitions];
        for (int p = 0; p < Partitions.Length; p++)
            Partitions[p] = new PartitionLog(Path.Combine(folder, $"p{p}"), geometry, RetentionOf(topic, p, options), time, logger, Signal);
        DurableFiles.FlushFolder(folder);
        _dropOld = time.CreateTimer(_ => _ = DropOldAsync(), null, DropOldEvery, DropOldEvery);
        _ = DropOldAsync(); // failures are logged where they happen, and the next time tries again
    }

    public PartitionLog[] Partitions { get; }

    /// <summary>Ends with the next commit to any partition. Take it before looking for messages.</summary>
    public Task Committed => Volatile.Read(ref _committed).Task;

    public int PartitionOf(byte[] key) => (int)(Crc32C.Of(key) % (uint)Partitions.Length);

    public PartitionLog Partition(string topic, int partition) => (uint)partition < (uint)Partitions.Length
        ? Partitions[partition]
        : throw new ArgumentOutOfRangeException(nameof(partition), partition, $"topic {topic} has {Partitions.Length} partitions");

    /// <summary>Drops what retention lets go; happens by itself at intervals.</summary>
    public Task DropOldAsync() => Task.WhenAll(Partitions.Select(partition => partition.DropOldAsync()));

    public long CommittedOf(string group, int partition)
    {
        lock (_groupsGate) return _groups.TryGetValue(group, out var positions) ? positions.GetValueOrDefault(partition) : 0;
    }

    public void Commit(string group, int partition, long nextOffset)
    {
        lock (_groupsGate)
        {
            if (!_groups.TryGetValue(group, out var positions)) _groups[group] = positions = [];
            if (positions.TryGetValue(partition, out long known) && known == nextOffset) return;
            positions[partition] = nextOffset;
            DurableFiles.Rewrite(_groupsPath, JsonSerializer.SerializeToUtf8Bytes(_groups));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _dropOld.DisposeAsync().ConfigureAwait(false);
        foreach (var partition in Partitions) await partition.DisposeAsync().ConfigureAwait(false);
        Signal(); // readers that wait find the log closed
    }

    // A fresh index is built from the log of items, so those stay; what Ingest has not landed is in no other place.
    private LogRetention? RetentionOf(string topic, int partition, EmbeddedEventLogOptions options) => topic switch
    {
        Topics.Interactions => new LogRetention(options.Retention, options.RetentionBytes, () => CommittedOf(ReaderGroups.Ingest, partition)),
        Topics.DeadLetters => new LogRetention(options.Retention, options.RetentionBytes, () => long.MaxValue),
        _ => null,
    };

    private void Signal() => Interlocked.Exchange(ref _committed, NewSignal()).TrySetResult();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static LogGeometry LoadLayout(string path, EmbeddedEventLogOptions options)
    {
        int largest = options.MaxDeadLetterBytes + RecordFormat.HeaderBytes;
        if (!File.Exists(path))
        {
            var geometry = LogGeometry.For(largest);
            DurableFiles.Rewrite(path, JsonSerializer.SerializeToUtf8Bytes(new Layout(1, options.Partitions, geometry.PageBits, geometry.SegmentBits)));
            return geometry;
        }
        var layout = ReadJson<Layout>(path);
        if (layout.Version != 1) throw new InvalidDataException($"{path}: version {layout.Version} of the event log; this build reads version 1");
        if (layout.PageBits is < 16 or > 26 || layout.SegmentBits < layout.PageBits || layout.SegmentBits > 34)
            throw new InvalidDataException($"{path}: page bits {layout.PageBits} and segment bits {layout.SegmentBits} are out of range (16 to 26, and up to 34)");
        if (layout.Partitions != options.Partitions)
            throw new InvalidDataException($"{path}: the topic has {layout.Partitions} partitions, the configuration says {options.Partitions}; keys would move, so the number is fixed when the topic is created");
        var kept = new LogGeometry(layout.PageBits, layout.SegmentBits);
        if (largest > kept.LargestRecord)
            throw new InvalidDataException($"{path}: the topic was created for pages of {1 << kept.PageBits} bytes, too small for records of {options.MaxRecordBytes} bytes; keep MaxRecordBytes as it was when the topic was created");
        return kept;
    }

    private static T ReadJson<T>(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllBytes(path)) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: expected JSON written by the event log: {e.Message}", e);
        }
    }
}
