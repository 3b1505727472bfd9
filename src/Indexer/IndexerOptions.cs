using System.ComponentModel.DataAnnotations;

namespace BeeFormer.Streaming.Indexer;

/// <summary>Section <c>Indexer</c>.</summary>
public sealed class IndexerOptions
{
    public const string Section = "Indexer";

    /// <summary>Most item events taken from the log at once; a batch is what is queued at that moment, so nothing waits for company. Default 256.</summary>
    [Range(1, 10_000)]
    public int MaxBatch { get; set; } = 256;

    /// <summary>Most items encoded and written at once while a collection is built; fewer where that would hold events up. Default 4096.</summary>
    [Range(1, 100_000)]
    public int RebuildBatch { get; set; } = 4096;

    /// <summary>How often the index is compared with the live model without being told; also the first delay after a failed build. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan CheckInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest delay between attempts at a build that keeps failing; delays double up to it, and to 30 s at most where a server was away. Default 5 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "24:00:00")]
    public TimeSpan LongestRebuildDelay { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Newest interactions that decide which items a build encodes first. 0: catalogue order. Default 200000.</summary>
    [Range(0, int.MaxValue)]
    public int InteractionsForOrder { get; set; } = 200_000;

    /// <summary>How often the collection in service is compared with the catalogue, and what it lost is applied again. Default 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "7.00:00:00")]
    public TimeSpan ReconcileEvery { get; set; } = TimeSpan.FromMinutes(10);
}
