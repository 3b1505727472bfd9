using System.ComponentModel.DataAnnotations;

namespace BeeFormer.Streaming.VectorIndex.Qdrant;

/// <summary>Settings of the index on a Qdrant server: section <c>Qdrant</c>. Used where <see cref="Endpoint"/> is set. No record: nothing may print the key.</summary>
public sealed class QdrantOptions
{
    public const string Section = "Qdrant";

    /// <summary>Where the server's gRPC port is: <c>http://host:6334</c>, or <c>https://…</c>.</summary>
    public string Endpoint { get; set; } = "";

    /// <summary>Key of the server; default: none. Better given by the environment or by <see cref="ApiKeyFile"/>.</summary>
    public string? ApiKey { get; set; }

    /// <summary>File that holds nothing but the key.</summary>
    public string? ApiKeyFile { get; set; }

    /// <summary>PEM file of the certificates that may sign the server's. Default: those of the operating system.</summary>
    public string? CaCertificate { get; set; }

    /// <summary>Put before the name of each collection and alias, so that several installations share a server. Default: none.</summary>
    [RegularExpression(@"\A[A-Za-z0-9_-]{0,64}\z", ErrorMessage = "Qdrant:Prefix must be up to 64 letters, digits, '-' or '_'.")]
    public string Prefix { get; set; } = "";

    /// <summary>Time for one attempt of a read, of which there are 3. Default 5 s; 2 s to 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:02", "00:10:00", ErrorMessage = "Qdrant:ReadTimeout must be {1} to {2}.")]
    public TimeSpan ReadTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Time for one attempt of a write, of which there are 7. Default 60 s; 2 s to 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:02", "01:00:00", ErrorMessage = "Qdrant:WriteTimeout must be {1} to {2}.")]
    public TimeSpan WriteTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Time for the server to index what was loaded. Default 6 h; 1 s to 7 d.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00", ErrorMessage = "Qdrant:SettleTimeout must be {1} to {2}.")]
    public TimeSpan SettleTimeout { get; set; } = TimeSpan.FromHours(6);

    /// <summary>Items written by one request. Default 256; 1 to 10,000.</summary>
    [Range(1, 10_000, ErrorMessage = "Qdrant:UpsertBatch must be {1} to {2}.")]
    public int UpsertBatch { get; set; } = 256;

    /// <summary>Requests of one call that are under way at once. Default 4; 1 to 64.</summary>
    [Range(1, 64, ErrorMessage = "Qdrant:InFlight must be {1} to {2}.")]
    public int InFlight { get; set; } = 4;

    /// <summary>Shards of a new collection. Default 1; 1 to 1,000.</summary>
    [Range(1, 1000, ErrorMessage = "Qdrant:Shards must be {1} to {2}.")]
    public int Shards { get; set; } = 1;

    /// <summary>Copies of each shard of a new collection. Default 1; 1 to 100.</summary>
    [Range(1, 100, ErrorMessage = "Qdrant:Replicas must be {1} to {2}.")]
    public int Replicas { get; set; } = 1;

    /// <summary>Edges of a vector in the graph of a new collection. Default 16; 4 to 256.</summary>
    [Range(4, 256, ErrorMessage = "Qdrant:HnswM must be {1} to {2}.")]
    public int HnswM { get; set; } = 16;

    /// <summary>Candidates looked at while the graph of a new collection is built. Default 100; 4 to 10,000.</summary>
    [Range(4, 10_000, ErrorMessage = "Qdrant:HnswEfConstruct must be {1} to {2}.")]
    public int HnswEfConstruct { get; set; } = 100;

    /// <summary>KB of vectors of a segment from which on it gets a graph, after <see cref="IVectorIndex.SettleAsync"/>. Default 10,000; 1 to 1,000,000,000.</summary>
    [Range(1, 1_000_000_000, ErrorMessage = "Qdrant:IndexingThreshold must be {1} to {2}.")]
    public int IndexingThreshold { get; set; } = 10_000;

    /// <summary>Candidates looked at by a search that is not exact. Default: as the server does; 1 to 100,000.</summary>
    [Range(1, 100_000, ErrorMessage = "Qdrant:SearchEf must be {1} to {2}.")]
    public int? SearchEf { get; set; }

    /// <summary>Whether a new collection leaves its vectors on disk. Default: false, in memory.</summary>
    public bool VectorsOnDisk { get; set; }

    /// <summary>Whether a new collection is searched by vectors of 8-bit numbers in memory, the best rescored by the whole ones. Default: false.</summary>
    public bool Int8 { get; set; }

    /// <summary>Attributes that a new collection has payload indexes for: name → <see cref="AttributeIndex"/>.</summary>
    public Dictionary<string, AttributeIndex> IndexedAttributes { get; set; } = [];
}

/// <summary>What an indexed attribute holds.</summary>
public enum AttributeIndex
{
    Keyword,
    /// <summary>Numbers, whole ones as well: an index of integers would not find 5.0 where 5 is asked for.</summary>
    Float,
    Bool,
    Datetime,
}
