using System.ComponentModel.DataAnnotations;

namespace BeeFormer.Streaming.Api;

/// <summary>Section <c>Api</c>.</summary>
public sealed class ApiOptions
{
    public const string Section = "Api";

    /// <summary>Largest request body in bytes. Default 16 MiB.</summary>
    [Range(1024, 1024 * 1024 * 1024)]
    public int MaxBodyBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>Largest archive of a model that is imported, in bytes. Default 4 GiB.</summary>
    [Range(1024, long.MaxValue)]
    public long MaxArchiveBytes { get; set; } = 4L * 1024 * 1024 * 1024;

    /// <summary>Most events or items in one request. Default 10000.</summary>
    [Range(1, 1_000_000)]
    public int MaxBatch { get; set; } = 10_000;

    /// <summary>Most requests in a batch of rankings, and most texts or items in a request for embeddings. Default 100.</summary>
    [Range(1, 10_000)]
    public int MaxQueries { get; set; } = 100;

    /// <summary>Longest free-text query in characters. Default 2000.</summary>
    [Range(1, 1_000_000)]
    public int MaxTextLength { get; set; } = 2_000;

    /// <summary>Most ids in <c>history</c>, <c>exclude_ids</c>, <c>candidates</c> and a filter's <c>ids</c>. Default 1000.</summary>
    [Range(1, 100_000)]
    public int MaxIds { get; set; } = 1_000;

    /// <summary>Event ids that are remembered to name repetitions; 0: only those within a request are named. Default 100000.</summary>
    [Range(0, 10_000_000)]
    public int RecentEvents { get; set; } = 100_000;

    /// <summary>Requests a second that a key may send for long; 0: any number. Keys may have a rate of their own. Default 1000.</summary>
    [Range(0, 1e6)]
    public double RequestsPerSecond { get; set; } = 1_000;

    /// <summary>How much of its rate a key may use at once, in seconds. Default 2.</summary>
    [Range(0.1, 3600)]
    public double BurstSeconds { get; set; } = 2;

    /// <summary>Origins such as <c>https://shop.example</c> whose web pages may ask from a browser. Default: none.</summary>
    public List<string> CorsOrigins { get; } = [];

    /// <summary>Time in which a client must send the head of a request. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan HeadTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes a second below which the body of a request is cut off, after 5 s. Default 240.</summary>
    [Range(1, 1_000_000)]
    public int MinBodyRate { get; set; } = 240;

    /// <summary>How often the served pair is compared with the index without being told. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan CheckInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Event-time half-life of an interaction in the popularity that unknown users get. Default 7 days.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "36500.00:00:00")]
    public TimeSpan PopularityHalfLife { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Whether the dashboard is served at <c>/</c>. Default true.</summary>
    public bool Dashboard { get; set; } = true;
}
